"""A driver of Spark in a process of its own, since one process has one session: asks a query, and tells how it goes.

Lines on standard output: `running` when tasks of the query run on all executors, then the answer or the error as JSON.
Each line on standard input asks the query once more.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path

from skydex.archive import Archive
from skydex.engines.spark_home import HomedEngine, SparkChoices, SparkHome
from skydex.errors import SkydexError
from skydex.query import bind, make_plan
from skydex.query.languages import parse_adql


def main() -> None:
    given = json.loads(sys.argv[1])
    properties = Path(given["properties"]) if given["properties"] else None
    folder = Path(given["folder"])
    choices = SparkChoices(given["url"], 512, given["wait_s"], given["idle_s"], properties, folder, folder / "spool")
    home = SparkHome(choices)
    home.interrupt_orphans()
    plan = make_plan(bind(parse_adql(given["query"]), Archive.open(given["archive"]).namespace()))
    for _ in sys.stdin:
        start = time.monotonic()
        try:
            if given["properties"]:
                threading.Thread(target=tell, args=(home,), daemon=True).start()
            with home.at_work():
                rows = HomedEngine(home).run(plan).to_arrow().to_pylist()
            print(json.dumps({"rows": rows, "seconds": time.monotonic() - start}), flush=True)
        except SkydexError as error:
            said = {"error": type(error).__name__, "text": str(error), "seconds": time.monotonic() - start}
            print(json.dumps(said), flush=True)
    home.close()


def tell(home: SparkHome) -> None:
    """Say that the query runs, once as many tasks do as there are executors that are left."""
    tracker = home.session().sparkContext._jsc.sc().statusTracker()
    while True:
        infos = tracker.getExecutorInfos()
        if len(infos) > 1 and sum(info.numRunningTasks() for info in infos) >= len(infos) - 1:
            break
        time.sleep(0.05)
    print("running", flush=True)


if __name__ == "__main__":
    main()
