"""Opens, clicks and unsubscribes arrive over HTTP; people are told from machines."""
