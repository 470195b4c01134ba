"""How each change is written: one function a change, in the transaction of its event."""
