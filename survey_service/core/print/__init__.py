"""The look that all prints share, and the child process that sets them."""
