"""The referral mechanism: cases without identities, what happens to them, and what the office knows of the mechanism."""
