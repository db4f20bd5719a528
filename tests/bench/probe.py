"""probe - what the kernel knows of a set of processes: time used, memory, wake-ups, files, bytes written."""
import os
import resource
import time


def _read(path):
    with open(path, encoding="ascii", errors="replace") as source:
        return source.read()


def _field(text, name):
    for line in text.splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    raise KeyError(name)


def _tasks(pid):
    return [f"/proc/{pid}/task/{task}" for task in os.listdir(f"/proc/{pid}/task")]


def cpu_us(pids):
    """User and system time of all their threads; to the nanosecond where the kernel keeps it."""
    total = 0.0
    for pid in pids:
        try:
            total += sum(int(_read(task + "/schedstat").split()[0]) for task in _tasks(pid)) / 1e3
        except OSError:
            fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) * 1e6 / os.sysconf("SC_CLK_TCK")
    return total


def wakeups(pids):
    """How often they have waited for something and been woken (voluntary context switches)."""
    return sum(_field(_read(task + "/status"), "voluntary_ctxt_switches") for pid in pids for task in _tasks(pid))


def pss_kb(pids):
    return sum(_field(_read(f"/proc/{pid}/smaps_rollup"), "Pss") for pid in pids)


def rss_kb(pids):
    return sum(_field(_read(f"/proc/{pid}/status"), "VmRSS") for pid in pids)


def n_fds(pids):
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids)


def written_bytes(pids):
    """Bytes that they caused to go to the block layer (a page is counted when it becomes dirty)."""
    return sum(_field(_read(f"/proc/{pid}/io"), "write_bytes") for pid in pids)


def slope(points):
    """Least squares through (x, y): y per x."""
    n = len(points)
    if n < 2:
        return 0.0
    mean_x = sum(x for x, _ in points) / n
    mean_y = sum(y for _, y in points) / n
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


class Neighbours:
    """How much of the machine went to others between its making and share(): what they take is noise in the figures."""

    def __init__(self):
        self.began, self.busy, self.own = time.monotonic(), self._busy_s(), self._own_s()

    @staticmethod
    def _busy_s():
        # user, nice, system, idle, iowait, irq, softirq
        ticks = [int(field) for field in _read("/proc/stat").splitlines()[0].split()[1:8]]
        return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")

    @staticmethod
    def _own_s():
        both = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
        return sum(used.ru_utime + used.ru_stime for used in both)

    def share(self):
        """Part of all cores' time, 0..1; children count as ours when they have ended."""
        others = self._busy_s() - self.busy - (self._own_s() - self.own)
        return max(0.0, others / ((time.monotonic() - self.began) * os.cpu_count()))
