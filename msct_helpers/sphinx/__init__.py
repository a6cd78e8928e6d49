"""What the build needs of Sphinx; nothing else imports it."""
