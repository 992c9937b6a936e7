"""Reading the kernel's table of sockets: who is connected, and who listens."""

from lockship.deploy.sockets import Listening, count, listening, parsed

TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0
   1: 030012AC:1F40 020012AC:A1B2 01 00000000:00000000 00:00000000 00000000     0        0 2 1 0
   2: 030012AC:1F40 020012AC:A1B4 06 00000000:00000000 00:00000000 00000000     0        0 3 1 0
   3: 030012AC:1F40 020012AC:A1B6 04 00000005:00000000 00:00000000 00000000     0        0 4 1 0
   4: 030012AC:1F40 010012AC:A1B6 01 00000000:00000000 00:00000000 00000000     0        0 5 1 0
   5: 030012AC:1F41 020012AC:A1B6 01 00000000:00000000 00:00000000 00000000     0        0 6 1 0
"""
TCP6 = """\
  sl  local_address                         remote_address                        st tx_queue
   0: 0000000000000000FFFF0000030012AC:1F40 0000000000000000FFFF0000020012AC:D4B8 01 00000000:0
"""


def test_open_connections_of_the_proxy_are_counted_and_nothing_else() -> None:
    """Established, or with an answer on its way; not listening, ended, from others, elsewhere."""
    assert count(parsed(TCP), 8000, "172.18.0.2") == 2
    assert count(parsed(TCP6), 8000, "172.18.0.2") == 1
    assert count(parsed(TCP), 8000, "172.18.0.9") == 0


LISTEN = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0
   1: 0100007F:0051 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0
   2: 0B00007F:A37B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0
   3: 030012AC:0050 020012AC:A1B2 01 00000000:00000000 00:00000000 00000000     0        0 2 1 0
"""
LISTEN6 = """\
  sl  local_address                         remote_address                        st tx_queue
   0: 00000000000000000000000000000000:1F40 00000000000000000000000000000000:0000 0A 00000000:0
   1: 00000000000000000000000001000000:0052 00000000000000000000000000000000:0000 0A 00000000:0
"""


def test_ports_on_which_something_listens_are_told_and_docker_s_own_is_not() -> None:
    found = [*parsed(LISTEN), *parsed(LISTEN6)]
    assert listening(found) == (
        Listening(81, False),
        Listening(82, False),
        Listening(8000, True),
    )
