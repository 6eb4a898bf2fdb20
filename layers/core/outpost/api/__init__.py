"""The HTTP edge: bodies, routes, views, errors, cursors."""
