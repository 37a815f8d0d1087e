using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Adjoint.SystemTests.Mpi;

/// <summary>
/// Two machines as far as MPI can tell: network namespaces with a wire between them, and names of their own. The wire
/// is in this process, a TAP device at each end, so that it can be slow, lose packets, and be cut: the kernel's netem
/// is a module that many machines lack.
/// </summary>
internal sealed partial class TwoHosts : IDisposable
{
    private const int ReadWrite = 2, Readable = 1, TapWithoutHeader = 0x1002, FrameBytes = 2048;
    private const uint SetInterface = 0x400454ca;

    private static int count;

    private readonly string id = $"adj{Environment.ProcessId % 100_000}-{Interlocked.Increment(ref count)}";
    private readonly string agent = Path.GetTempFileName();
    private readonly int[] ends = [-1, -1];
    private readonly Thread[] threads;
    private readonly TimeSpan delay;
    private readonly double loss;
    private volatile bool isCut, isOver;

    /// <summary>Joins two hosts; skips the test where that needs more rights than there are.</summary>
    internal TwoHosts(TimeSpan delay = default, double loss = 0)
    {
        if (Environment.UserName != "root" || !File.Exists("/dev/net/tun") || !File.Exists("/usr/bin/unshare")
            || !new[] { "/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip" }.Any(File.Exists))
            Assert.Skip("skipped: network namespaces need root, /dev/net/tun and Debian's package iproute2");
        (this.delay, this.loss) = (delay, loss);
        for (var host = 0; host < 2; host++)
        {
            var (space, device) = (NameOf(host), $"{id}{"ab"[host]}");
            Run("ip", "netns", "add", space);
            ends[host] = OpenTap(device);
            Run("ip", "link", "set", device, "netns", space);
            Run("ip", "-n", space, "addr", "add", AddressOf(host) + "/24", "dev", device);
            Run("ip", "-n", space, "link", "set", device, "up");
            Run("ip", "-n", space, "link", "set", "lo", "up");
        }
        // mpirun calls it as it would call ssh: options, host, command.
        File.WriteAllText(agent, $$"""
            #!/bin/sh
            while [ "${1#-}" != "$1" ]; do shift; done
            case $1 in {{AddressOf(1)}}) name={{NameOf(1)}} ;; *) name={{NameOf(0)}} ;; esac
            shift
            exec ip netns exec $name unshare -u sh -c "hostname $name; $*"
            """);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(agent, (UnixFileMode)0b111_101_101);
        threads = [new(() => Carry(0, 1)), new(() => Carry(1, 0))];
        foreach (var thread in threads) thread.Start();
    }

    /// <summary>What a host is called.</summary>
    internal string NameOf(int host) => $"{id}-host{host}";

    /// <summary>From now on nothing passes; true again for all.</summary>
    internal bool IsCut
    {
        set => isCut = value;
    }

    /// <summary>Starts ranks, in turns on the first and the second host; mpirun is on the first.</summary>
    internal MpiRun Start(string mpirun, int ranks, params string[] arguments)
    {
        if (!File.Exists($"/usr/bin/{mpirun}")) return MpiRun.Start(mpirun, ranks, arguments);
        var subnet = "10.77.0.0/24";
        string[] options = mpirun == "mpirun.openmpi"
            ?
            [
                "--mca", "plm_rsh_agent", agent, "--mca", "oob_tcp_if_include", subnet, "--mca", "btl_tcp_if_include",
                subnet, "--mca", "btl", "tcp,self", "--map-by", "node", "--bind-to", "none",
                "--host", $"{AddressOf(0)}:8,{AddressOf(1)}:8",
            ]
            : ["-launcher", "ssh", "-launcher-exec", agent, "-hosts", $"{AddressOf(0)},{AddressOf(1)}"];
        return MpiRun.Start(
            [
                "ip", "netns", "exec", NameOf(0), "unshare", "-u", "sh", "-c", $"hostname {NameOf(0)}; exec \"$@\"",
                "sh", mpirun, .. options, "-n", $"{ranks}", .. MpiRun.Program, .. arguments,
            ],
            // MPICH's transport would find that both have the memory of one machine.
            new() { ["UCX_TLS"] = "tcp,self", ["UCX_NET_DEVICES"] = "all" });
    }

    public void Dispose()
    {
        isOver = true;
        foreach (var thread in threads ?? []) thread.Join();
        foreach (var end in ends.Where(end => end >= 0)) CloseFile(end);
        for (var host = 0; host < 2; host++) Process.Start("ip", ["netns", "del", NameOf(host)]).WaitForExit();
        File.Delete(agent);
    }

    private static string AddressOf(int host) => $"10.77.0.{host + 1}";

    private static void Run(params string[] command)
    {
        using var process = Process.Start(command[0], command[1..]);
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, string.Join(' ', command));
    }

    private static int OpenTap(string device)
    {
        var file = OpenFile("/dev/net/tun", ReadWrite);
        var request = new byte[40];
        System.Text.Encoding.ASCII.GetBytes(device, request);
        BitConverter.TryWriteBytes(request.AsSpan(16), (short)TapWithoutHeader);
        Assert.True(file >= 0 && Control(file, SetInterface, request) == 0, $"no TAP device {device}");
        return file;
    }

    // One direction: what comes at one end goes out at the other, later. Losses are the same in every run.
    private void Carry(int from, int to)
    {
        var random = new Random(17 + from);
        var underWay = new Queue<(long Due, byte[] Frame)>();
        var buffer = new byte[FrameBytes];
        while (!isOver)
        {
            var wait = underWay.TryPeek(out var first)
                ? Math.Clamp((int)(first.Due - Environment.TickCount64), 0, 20)
                : 20;
            var poll = new PollEntry { File = ends[from], Wanted = Readable };
            if (Poll(ref poll, 1, wait) > 0)
            {
                var length = (int)ReadFile(ends[from], buffer, buffer.Length);
                if (length > 0 && !isCut && random.NextDouble() >= loss)
                    underWay.Enqueue((Environment.TickCount64 + (long)delay.TotalMilliseconds, buffer[..length]));
            }
            while (underWay.TryPeek(out var next) && next.Due <= Environment.TickCount64)
                _ = WriteFile(ends[to], next.Frame, underWay.Dequeue().Frame.Length);
        }
    }

    private struct PollEntry
    {
        public int File;
        public short Wanted;
        public short Found;
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int CloseFile(int file);

    [LibraryImport("libc", EntryPoint = "read")]
    private static partial nint ReadFile(int file, byte[] bytes, nint length);

    [LibraryImport("libc", EntryPoint = "write")]
    private static partial nint WriteFile(int file, byte[] bytes, nint length);

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int Control(int file, nuint request, byte[] argument);

    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Poll(ref PollEntry entry, nuint count, int milliseconds);
}
