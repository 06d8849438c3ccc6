"""How gunicorn serves the application: `gunicorn --config python:stsclinic.server stsclinic.wsgi`.

The address is given on the command line with --bind. Times are in seconds.
"""

workers = 2
worker_class = "gthread"
# Most of a request is spent waiting for the database, and an upload for the network.
threads = 4
# An import of a whole registry may take a minute; a page never does.
timeout = 120
# After SIGTERM a page under way may finish, while a browser's idle connection holds the end up no longer
# than this. What is cut off was one transaction, and is undone as a whole.
graceful_timeout = 2
loglevel = "warning"
# gunicorn's remote control would leave a socket in the home folder.
control_socket_disable = True


def when_ready(server):
    """Say where the application is, once it listens."""
    addresses = " ".join(
        f"http://{host}:{port}/" for host, port in (s.getsockname()[:2] for s in server.LISTENERS)
    )
    print(f"\nReady at {addresses} - Ctrl+C ends it.", flush=True)


def post_worker_init(worker):
    """Remove files that were kept long enough, also those of before the server ended."""
    from sessions_app.old_files import keep_removing

    keep_removing()
