"""Time and memory of processes, from /proc."""

import os
import time

TICKS = os.sysconf("SC_CLK_TCK")


def descendants(root):
    """This process and all below it."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                children.setdefault(int(fields(int(name))[1]), []).append(int(name))
            except (FileNotFoundError, ProcessLookupError):
                pass
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo.extend(children.get(pid, []))
    return found


def fields(pid):
    """The fields of /proc/PID/stat behind the name: state, parent, …"""
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()


def cpu_s(pids):
    """CPU time of processes so far, that of children which have ended included, s."""
    total = 0
    for pid in pids:
        try:
            total += sum(int(field) for field in fields(pid)[11:15])
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total / TICKS


def forget_peak(pids):
    """Lets the kernel forget the largest memory so far, where it may."""
    for pid in pids:
        try:
            with open(f"/proc/{pid}/clear_refs", "w") as refs:
                refs.write("5")
        except OSError:
            pass


def peak_mb(pids):
    """Largest resident memory, of all processes together, MB."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/status") as status:
                total += next((int(line.split()[1]) for line in status if line.startswith("VmHWM:")), 0)
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total / 1024


def age_s():
    """Since this process was started, s."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields(os.getpid())[19]) / TICKS
