"""The life of a campaign: draft, approvals, plan, pilot, running, finished."""
