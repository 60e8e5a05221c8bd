"""Many searches as one batch: side by side, what is finished kept, what fails done again.

A batch knows nothing of strategies that are compared or curves that are drawn: whoever needs many searches
makes a `Task` of each, and `run` gives back a `Solved` for each. An executor tells where they run.
"""

from scopt.batch.job import Executor, cores, executor_for
from scopt.batch.kept import RunFolder
from scopt.batch.tasks import Task, run

__all__ = ["Executor", "RunFolder", "Task", "cores", "executor_for", "run"]
