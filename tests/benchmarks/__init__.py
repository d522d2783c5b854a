"""How fast frogmove is, next to its peers: ``python -m tests.benchmarks``.

One command starts S3 servers of its own, gets s5cmd, rclone and the AWS CLI (version 1, the one on
PyPI), lets all programs do the same work in turn, and prints objects per second, CPU time, peak
memory and requests per object, each as a ratio to frogmove's. ``--publish`` also replaces the
figures in RESULTS.md, in the README and in its plot. ``--quick`` shows in a minute that all of it
works; the whole takes about ten minutes on two cores. It needs Linux, a C compiler, and a machine
that does nothing else.

**The server of small objects** is a program of ours in C, in ``server/``. It keeps keys, sizes and
ETags in memory, honours the conditions that AWS honours, and checks no signatures. A request costs
it a tenth to a fifth of what it costs the clients, so that these are what is measured. What it took
is shown beside each figure; where that is more than 30 % of a core, the row says so.

**One core** means that the program is pinned to one, and the server to the others. Otherwise both
may use all.

**Latency** is that server, holding back each response.

**Large objects** are copied by SeaweedFS, since there bytes have to move. These rows mostly measure
what SeaweedFS or this machine's disk gives: read their CPU time, memory and requests. Requests are
counted in a run of its own, through a proxy that would slow down those who read. SeaweedFS proves
nothing about a copy in parts, so frogmove reads it, which it need not do on S3. *rclone, then
check* proves it as well, by reading both sides.

**Each program** gets the options that make it fastest (:mod:`tests.benchmarks.tools`). Wall time
and CPU time are those of the whole command, its start and end included; memory is that of all its
processes together. Figures are medians of the rounds, with the least and the greatest. The AWS CLI
runs once and, of small objects, takes a fifth. After every run the buckets are checked: a program
that did not do its work has no figures.
"""
