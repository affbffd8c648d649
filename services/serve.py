"""`amihub serve`: one process, a thread for each part; a part that dies ends the process."""

import gc
import logging
import signal
import ssl
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import uvicorn

from canonical.codes.configuration import SERVE_SECTION_MISSING
from canonical.errors import MisconfiguredError
from services.hub import Hub, open_hub

log = logging.getLogger(__name__)

Part = Literal["cim", "relay", "consumer"]


def serve(parts: Sequence[Part]) -> int:
    """Run the parts until interrupted; return the exit code: 0 when asked to stop, 1 when a part died.

    Raises:
        MisconfiguredError: web services are wanted but the site has no [serve] section, or a secret is missing.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    stop, died = threading.Event(), threading.Event()
    with open_hub() as hub:
        server = _server(hub) if "cim" in parts else None
        threads = [_thread("relay", partial(_relay, hub, stop), stop, died)] if "relay" in parts else []
        if "cim" in parts and hub.site.model.on_demand_read is not None:
            threads.append(_thread("requests", partial(_requests, hub, stop), stop, died))
        if "cim" in parts and _has_master_data(hub):
            threads.append(_thread("master data", partial(_master_data, hub, stop), stop, died))
        if "cim" in parts and hub.site.model.rollout is not None:
            threads.append(_thread("rollout", partial(_rollout, hub, stop), stop, died))
        alone = len(parts) == 1 and hub.site.model.files is None
        if "consumer" in parts and (hub.site.model.messaging is not None or alone):
            threads.append(_thread("consumer", partial(_consumer, hub, stop), stop, died))
            threads.append(_thread("queue watch", partial(_queue_watch, hub, stop), stop, died))
        if "consumer" in parts and hub.site.model.files is not None and hub.site.model.files.inbound:
            threads.append(_thread("message files", partial(_message_files, hub, stop), stop, died))
        # What stands now stays: the collector need not look at all of it again whenever a batch has come and gone.
        gc.freeze()
        for thread in threads:
            thread.start()
        if server is None:
            _wait_for_signal(stop)
        else:
            watch = threading.Thread(target=_end_with, args=(server, stop), daemon=True)
            watch.start()
            server.run()
            stop.set()
        for thread in threads:
            thread.join(timeout=60)
    return int(died.is_set())


def _relay(hub: Hub, stop: threading.Event) -> None:
    """Run the relay until asked to stop."""
    from services.relay import run_relay

    run_relay(hub, stop)


def _has_master_data(hub: Hub) -> bool:
    """Return whether anything of master data or routes can wait at this site."""
    from services.master_data_pass import is_wanted

    return is_wanted(hub)


def _master_data(hub: Hub, stop: threading.Event) -> None:
    """Look at what waits in master data and at routes until asked to stop."""
    from services.master_data_pass import run_master_data

    run_master_data(hub, stop)


def _rollout(hub: Hub, stop: threading.Event) -> None:
    """Judge, tell and verify exchanges of meters until asked to stop."""
    from services.rollout_pass import run_rollout

    run_rollout(hub, stop)


def _requests(hub: Hub, stop: threading.Event) -> None:
    """Answer asynchronous requests until asked to stop."""
    from services.cim_site import run_requests

    run_requests(hub, stop)


def _consumer(hub: Hub, stop: threading.Event) -> None:
    """Take messages from the inbound queues until asked to stop."""
    from services.event_consumer import run_consumer

    run_consumer(hub, stop)


def _message_files(hub: Hub, stop: threading.Event) -> None:
    """Take messages from the folders of partners until asked to stop."""
    from services.message_files import run_message_files

    run_message_files(hub, stop)


def _queue_watch(hub: Hub, stop: threading.Event) -> None:
    """Tell of messages that nobody reads until asked to stop."""
    from services.queue_watch import run_watch

    run_watch(hub, stop)


def _thread(name: str, work: Callable[[], None], stop: threading.Event, died: threading.Event) -> threading.Thread:
    """Return a thread whose end before `stop` ends the whole process: half a hub must not look alive."""

    def run() -> None:
        try:
            work()
        finally:
            if not stop.is_set():
                log.critical("%s has died; the process ends so that whoever watches it starts it again", name)
                died.set()
                stop.set()

    return threading.Thread(target=run, name=name)


def _server(hub: Hub) -> uvicorn.Server:
    """Return the web services' server, over TLS, for the callers that the site names."""
    from services.cim_site import site_app

    section = hub.site.model.serve
    if section is None:
        raise MisconfiguredError(
            "the site file has no [serve] section", code=SERVE_SECTION_MISSING, where=hub.site.path.name
        )
    app = site_app(hub, section)
    config = uvicorn.Config(
        app,
        host=section.host,
        port=section.port,
        ssl_certfile=str(hub.site.secret(section.certificate, ("serve", "certificate"))),
        ssl_keyfile=str(hub.site.secret(section.private_key, ("serve", "private_key"))),
        ssl_ca_certs=str((hub.site.folder / section.client_ca).resolve()) if section.client_ca else None,
        ssl_cert_reqs=ssl.CERT_REQUIRED if section.client_ca else ssl.CERT_NONE,
        log_config=None,
        timeout_graceful_shutdown=20,
    )
    return uvicorn.Server(config)


def _end_with(server: uvicorn.Server, stop: threading.Event) -> None:
    """Ask the web services to end as soon as `stop` is set."""
    stop.wait()
    server.should_exit = True


def _wait_for_signal(stop: threading.Event) -> None:
    """Wait until SIGINT or SIGTERM arrives, or a part dies."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    stop.wait()
