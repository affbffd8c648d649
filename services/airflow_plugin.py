"""Airflow loads this into its scheduler, so that tasks, which are forked from it, find the hub's modules already there.

Importing the flow and the store costs a task one to two seconds; a pass has five tasks. Nothing is opened here: no
database, no site file, no thread. It takes effect with `AIRFLOW__CORE__LAZY_LOAD_PLUGINS=False`.
"""

from airflow.plugins_manager import AirflowPlugin

import flows.billing_exchange  # noqa: F401
import services.billing_pass
import services.hub  # noqa: F401


class AmiHubPlugin(AirflowPlugin):
    """The hub's modules, imported once per Airflow process."""

    name = "amihub"
