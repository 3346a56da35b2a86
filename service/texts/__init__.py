"""The texts that people read: each view beside its rendering, through templates/."""
