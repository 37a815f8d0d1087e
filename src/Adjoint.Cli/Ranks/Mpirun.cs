using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Adjoint.Data;

namespace Adjoint.Cli;

/// <summary>The program that starts ranks: Open MPI's mpirun, that of MPICH, or another that takes <c>-n</c>.</summary>
internal sealed class Mpirun
{
    private static readonly string[] Names = ["mpirun", "mpiexec", "mpirun.openmpi", "mpirun.mpich"];
    private static readonly string[] Counts = ["-n", "-np", "--n", "--np", "-c"];
    private static readonly string[] HostOptions = ["-H", "--host", "-host", "-hosts", "--hosts"];
    private static readonly string[] HostFiles = ["-hostfile", "--hostfile", "-machinefile", "--machinefile", "-f"];

    private readonly IReadOnlyList<string> words;
    private readonly bool isOpenMpi;

    private Mpirun(IReadOnlyList<string> words, bool isOpenMpi) => (this.words, this.isOpenMpi) = (words, isOpenMpi);

    /// <summary>The program, as the user calls it.</summary>
    internal string Name => words[0];

    /// <summary>A command that shows whether it works without Adjoint.</summary>
    internal string Trial => $"{string.Join(' ', words.Select(ShellWord.Quote))} -n 2 hostname";

    /// <summary>The hosts that its options list; empty where they list none.</summary>
    internal IReadOnlyList<string> Hosts => [.. Entries().Select(entry => entry.Host)];

    /// <summary>Finds it.</summary>
    /// <param name="command">The user's own, with its options; null: whichever is in the path.</param>
    /// <exception cref="UsageException">The command is none.</exception>
    /// <exception cref="AdjointException">There is none.</exception>
    internal static Mpirun Find(string? command)
    {
        if (command is null)
            return Names.Select(name => Try([name])).FirstOrDefault(found => found is not null)
                ?? throw new AdjointException(
                    $"--ranks: no mpirun in the path; install Open MPI or MPICH (Debian: apt-get install openmpi-bin), "
                    + "or name it with --mpirun");
        var words = QuotedWords.Split(command, "--mpirun");
        if (words.Count == 0) throw new UsageException("--mpirun: is empty; name the program that starts ranks");
        if (words.FirstOrDefault(Counts.Contains) is { } count)
            throw new UsageException($"--mpirun: leave {count} out; --ranks says how many");
        return Try(words) ?? throw new AdjointException(
            $"--mpirun: {words[0]} cannot be started; give its path, or install it");
    }

    /// <summary>The same without a host, which is gone.</summary>
    /// <param name="host">Its name.</param>
    /// <returns>The command, and how many ranks fit on what is left; null where it lists no such host.</returns>
    internal (Mpirun Command, int Slots)? Without(string host)
    {
        var entries = Entries();
        var rest = entries.Where(entry => entry.Host != host).ToArray();
        if (rest.Length == 0 || rest.Length == entries.Length) return null;
        var list = string.Join(',', rest.Select(entry => entry.Text));
        string[] fewer = [.. words];
        fewer[HostsAt() + 1] = list;
        return (new(fewer, isOpenMpi), rest.Sum(entry => entry.Slots));
    }

    /// <summary>How to start so many ranks of a program.</summary>
    internal ProcessStartInfo Start(int ranks, IReadOnlyList<string> program)
    {
        var isLocal = HostsAt() < 0 && !words.Any(HostFiles.Contains);
        string[] own = isOpenMpi
            ? [
                // Ranks have threads of their own, which must not share one core.
                .. Add(["--bind-to", "none"]),
                // It counts cores and not threads, and refuses more ranks than that.
                .. isLocal ? Add(["--oversubscribe"]) : [],
            ]
            : [];
        string[] all = [.. words, .. own, "-n", ranks.ToString(CultureInfo.InvariantCulture), .. program];
        // In a session of its own, so that Ctrl-C is for the launcher, which asks the ranks to end in order.
        string[] line = Platform.Setsid is { } setsid ? [setsid, .. all] : all;
        var start = new ProcessStartInfo(line[0], line[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardErrorEncoding = new UTF8Encoding(false),
            StandardOutputEncoding = new UTF8Encoding(false),
        };
        // Whoever works as root, as in a container, knows that.
        if (Environment.UserName == "root")
            foreach (var name in (string[])["OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"])
                start.Environment[name] = "1";
        // A task of srun has these, and is not what they say.
        foreach (var name in (string[])["PMI_RANK", "PMI_SIZE", "PMI_FD"]) start.Environment.Remove(name);
        return start;

        IEnumerable<string> Add(string[] option) => words.Contains(option[0]) ? [] : option;
    }

    private static Mpirun? Try(IReadOnlyList<string> words)
    {
        try
        {
            using var asked = Process.Start(new ProcessStartInfo(words[0], ["--version"])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            asked.StandardInput.Close();
            _ = asked.StandardError.ReadToEndAsync();
            var text = asked.StandardOutput.ReadToEnd();
            asked.WaitForExit();
            var isOpenMpi = text.Contains("Open MPI", StringComparison.Ordinal)
                || text.Contains("OpenRTE", StringComparison.Ordinal)
                || text.Contains("PRRTE", StringComparison.Ordinal);
            return new(words, isOpenMpi);
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    private int HostsAt()
    {
        for (var i = 0; i + 1 < words.Count; i++)
            if (HostOptions.Contains(words[i])) return i;
        return -1;
    }

    // a:2,b counts two ranks on a, and one on b.
    private (string Host, int Slots, string Text)[] Entries() => HostsAt() is >= 0 and var at
        ? [.. words[at + 1].Split(',').Select(entry => (entry.Split(':')[0],
            int.TryParse(entry.Split(':').ElementAtOrDefault(1), CultureInfo.InvariantCulture, out var slots)
                ? slots : 1,
            entry))]
        : [];
}
