"""Campaigns of many processes, for the tests beside it: what they evaluate, and a parent that kills them."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import optuna
import sqlalchemy

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]), "OMP_NUM_THREADS": "1"}

# Silence is noticed after seconds, so that a test need not wait for a minute.
HASTE = """
from nas.shared import database
database.HEARTBEAT_S, database.GRACE_S, database.PATIENCE_S = 1, 4, 60
"""

COMMAND = HASTE + "from nas.cli.app import main; main()"

# The command line, which begins when a file is there.
GATED = (
    HASTE
    + """
import os, sys, time
import nas.campaign.worker
from nas.cli.app import main
gate = sys.argv.pop(1)
while not os.path.exists(gate):
    time.sleep(0.005)
main()
"""
)

# A run or a worker whose evaluations take a second; a worker prints what it did.
SLOW = (
    HASTE
    + """
import json, os, sys, time
from nas import Campaign, Worker

def evaluate(wiring, params):
    time.sleep(1)
    return wiring.n_edges

role, storage, out, trials = sys.argv[1:]
if role == "run":
    space = {"nodes": (8, 30), "degree": (2, 6)}
    Campaign(out, evaluate=evaluate, storage=storage, space=space, trials=int(trials), sampler="random").run()
else:
    print(json.dumps(Worker(storage, os.path.basename(out), evaluate=evaluate).run().to_json()))
"""
)

# Starts a run and its workers as forks, so that the imports are paid for once, and kills one of them now and then.
# Prints how many were killed, and how many workers ended as they should.
PARENT = (
    HASTE
    + """
import atexit, json, os, random, signal, sys, threading, time, traceback
from nas import Campaign, InputError, Worker
from nas.shared.shared import SharedStudy

storage, out, trials, workers, kills, every, sampler = sys.argv[1:]
# Imports what the first connection needs.
SharedStudy(storage, "imports", threading.Event(), "maximize").close()
SPACE = {"nodes": (8, 30), "degree": (2, 6)}

def evaluate(wiring, params):
    time.sleep(0.02 * (params["graph_seed"] % 11))
    with open(out + ".log", "a") as log:
        log.write(f"{wiring.fingerprint} {params.get('replicate', 0)}\\n")
    if wiring.n_edges % 13 == 0:
        raise ValueError("failed")
    return -abs(wiring.n_edges - 40) - params["degree"] / 100

def run():
    options = {"evaluate": evaluate, "space": SPACE, "trials": int(trials), "sampler": sampler, "seed": 3}
    Campaign(out, storage=storage, **options).run()

def work():
    Worker(storage, os.path.basename(out), evaluate=evaluate).run()

def start(task):
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        task()
        code = 0
    except InputError as error:
        print(error, file=sys.stderr)
        code = 2
    except BaseException:
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(code)

moments, killed, ended = random.Random(7), 0, 0
tasks = {start(run): run}
while not os.path.exists(out + "/study.db"):
    time.sleep(0.05)
for _ in range(int(workers)):
    tasks[start(work)] = work
due = time.monotonic() + float(every)

def end():
    for child in tasks:
        os.kill(child, signal.SIGKILL)

atexit.register(end)
while tasks:
    time.sleep(0.05)
    if killed < int(kills) and time.monotonic() > due and run in tasks.values():
        due = time.monotonic() + float(every) * moments.uniform(0.5, 1.5)
        os.kill(moments.choice(sorted(tasks)), signal.SIGKILL)
    for child in list(tasks):
        found, status = os.waitpid(child, os.WNOHANG)
        if not found:
            continue
        task = tasks.pop(child)
        if os.WIFSIGNALED(status):
            killed += 1
            tasks[start(task)] = task
        elif os.WEXITSTATUS(status) == 2:  # It was started while the database was away.
            time.sleep(0.2)
            tasks[start(task)] = task
        else:
            assert os.WEXITSTATUS(status) == 0, task
            ended += task is work
print(json.dumps({"killed": killed, "ended": ended}))
"""
)

# Starts runs of one study, each with a folder of its own, and workers as forks of one process, all in the same instant.
# Prints how long the first of them was there before the last one, and what each ended with.
STARTS = (
    HASTE
    + """
import json, os, random, sys, threading, time, traceback
from nas import Campaign, Worker
from nas.campaign import campaign, worker
from nas.report import output
from nas.shared.shared import SharedStudy

imports, storage, out, trials, runs, workers = sys.argv[1:]
output.plot_progress = campaign.fit_into = lambda *_, **__: None  # It is the beginning that is tested.
worker._TRY_AGAIN_S = 0.2
# Imports what the first connection needs.
SharedStudy(imports, "imports", threading.Event(), "maximize").close()

def evaluate(wiring, params):
    return float(wiring.n_edges)

def run(number):
    options = {"evaluate": evaluate, "space": {"nodes": (8, 30), "degree": (2, 6)}, "trials": int(trials)}
    folder = os.path.join(out, f"run{number}")
    Campaign(folder, storage=storage, study="begun", sampler="random", seed=3, **options).run()

def work(_):
    Worker(storage, "begun", evaluate=evaluate, wait=120).run()

def start(task, number):
    child = os.fork()
    if child:
        return child
    os.close(holds)
    os.read(waits, 1)  # Ends when the parent lets go of the other end.
    began, code = time.monotonic(), 1
    try:
        task(number)
        code = 0
    except BaseException:
        traceback.print_exc()
    os.write(tells, f"{began} ".encode())
    sys.stderr.flush()
    os._exit(code)

waits, holds = os.pipe()
heard, tells = os.pipe()
tasks = [(run, number) for number in range(int(runs))] + [(work, number) for number in range(int(workers))]
random.Random(len(tasks)).shuffle(tasks)
children = [start(*task) for task in tasks]
os.close(holds)
codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
os.close(tells)
began = list(map(float, open(heard).read().split()))
print(json.dumps({"within": max(began) - min(began), "codes": codes}))
"""
)


def python(code: str, *arguments: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def engine_of(url: str) -> sqlalchemy.Engine:
    address = url.replace("postgresql:", "postgresql+psycopg:")
    return sqlalchemy.create_engine(address, poolclass=sqlalchemy.NullPool)


def study_in(url: str, name: str) -> optuna.Study:
    """Open a shared study without anything of ours."""
    address = url.replace("postgresql:", "postgresql+psycopg:")
    storage = optuna.storages.RDBStorage(address, {"poolclass": sqlalchemy.NullPool})
    return optuna.load_study(study_name=name, storage=storage)


def count_complete(engine: sqlalchemy.Engine, name: str) -> int:
    """Return how many trials of a study are complete; 0 where the server does not answer."""
    query = "SELECT count(*) FROM trials JOIN studies USING (study_id) WHERE study_name = :name AND state = 'COMPLETE'"
    try:
        with engine.connect() as connection:
            return int(connection.execute(sqlalchemy.text(query), {"name": name}).scalar_one())
    except sqlalchemy.exc.SQLAlchemyError:
        return 0


def claims(trials: list[Any]) -> list[tuple[str, int]]:
    return [(trial.user_attrs["fingerprint"], trial.user_attrs["replicate"]) for trial in trials]
