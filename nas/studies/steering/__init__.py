"""Does steering by predictions help? Searches of pools of trained wirings."""
