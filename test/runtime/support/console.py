# Takes a terminal that a runtime sends to a console socket: prints "name <name>" and then what is written to the terminal;
# what comes on stdin is typed there. Ends with the terminal. Usage: console.py SOCKET
import array, os, select, socket, sys

server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
server.bind(sys.argv[1])
server.listen(1)
connection, _ = server.accept()
name, ancillary, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(4 * 4))
descriptors = array.array("i")
for level, kind, data in ancillary:
    if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
        descriptors.frombytes(data[: len(data) - len(data) % 4])
os.write(1, b"descriptors %d name %s\n" % (len(descriptors), name.rstrip(b"\0")))
if not descriptors:
    sys.exit(1)  # The runtime has ended without sending one.
master = descriptors[0]
for line in open("/proc/self/fdinfo/%d" % master):
    if line.startswith("Pid:"):
        # A pidfd, of --pidfd-socket: there is nothing to read.
        print("pid", line.split()[1], flush=True)
        sys.exit()
sources = [master, 0]
while True:
    ready, _, _ = select.select(sources, [], [])
    if 0 in ready:
        typed = os.read(0, 4096)
        if typed:
            os.write(master, typed)
        else:
            sources.remove(0)
    if master in ready:
        try:
            written = os.read(master, 4096)
        except OSError:
            break  # EIO: the last process has closed the other end.
        if not written:
            break
        os.write(1, written)
