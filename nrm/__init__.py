"""The National Referral Mechanism."""
