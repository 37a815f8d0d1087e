using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Adjoint.Experiments;

/// <summary>The process that holds a lease.</summary>
/// <param name="Host">The name of its machine.</param>
/// <param name="Machine">The start of its machine: other for machines of the same name.</param>
/// <param name="Process">The number of the process.</param>
/// <param name="Started">When the process began, in seconds since 1970.</param>
/// <param name="Cluster">The name of the Slurm cluster whose job it is; null for none.</param>
/// <param name="Job">The number of the job; null for none.</param>
/// <param name="Restarts">How often Slurm had requeued the job.</param>
internal sealed record LeaseHolder(string Host, string Machine, int Process, long Started, string? Cluster, string? Job,
    int Restarts)
{
    /// <summary>This process.</summary>
    internal static LeaseHolder This { get; } = OfThis();

    /// <summary>Whether it is a process of this machine.</summary>
    internal bool IsHere => Machine == This.Machine;

    /// <summary>Whether the process is at work; of this machine alone.</summary>
    internal bool Lives
    {
        get
        {
            try
            {
                using var process = System.Diagnostics.Process.GetProcessById(Process);
                // Numbers come again. Each process finds the times of all by its own clock, hence the margin; and who
                // has no memory left is dead, only nobody has asked for its exit code yet.
                return Math.Abs(SecondsOf(process) - Started) <= 2 && process.WorkingSet64 > 0;
            }
            catch (Exception error) when (error is ArgumentException or InvalidOperationException)
            {
                return false;
            }
            catch (System.ComponentModel.Win32Exception)
            {
                // Of another user, who tells nothing of it.
                return true;
            }
        }
    }

    /// <summary>One line: process, machine, job.</summary>
    public override string ToString() =>
        $"process {Process} on {Host}{(Job is null ? "" : $", Slurm job {Job}")}";

    internal void Write(Stream stream)
    {
        using var json = new Utf8JsonWriter(stream);
        json.WriteStartObject();
        json.WriteString("host", Host);
        json.WriteString("machine", Machine);
        json.WriteNumber("process", Process);
        json.WriteNumber("started", Started);
        json.WriteString("cluster", Cluster);
        json.WriteString("job", Job);
        json.WriteNumber("restarts", Restarts);
        json.WriteEndObject();
    }

    /// <summary>Reads what <see cref="Write"/> wrote; null for half of it.</summary>
    internal static LeaseHolder? Read(ReadOnlyMemory<byte> text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            var root = json.RootElement;
            string? Text(string name) => root.GetProperty(name).GetString();
            return new(Text("host") ?? "", Text("machine") ?? "", root.GetProperty("process").GetInt32(),
                root.GetProperty("started").GetInt64(), Text("cluster"), Text("job"),
                root.GetProperty("restarts").GetInt32());
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException
            or FormatException or OverflowException)
        {
            return null;
        }
    }

    private static LeaseHolder OfThis()
    {
        using var process = System.Diagnostics.Process.GetCurrentProcess();
        string? Variable(string name) => Environment.GetEnvironmentVariable(name);
        var job = Variable("SLURM_JOB_ID");
        return new(Environment.MachineName, MachineId(), Environment.ProcessId, SecondsOf(process),
            job is null ? null : Variable("SLURM_CLUSTER_NAME"), job,
            int.TryParse(Variable("SLURM_RESTART_COUNT"), CultureInfo.InvariantCulture, out var count) ? count : 0);
    }

    // Cloned machines have the same name. Linux has a number for each start of a machine; containers share it, and the
    // locks of files too.
    private static string MachineId()
    {
        const string boot = "/proc/sys/kernel/random/boot_id";
        return File.Exists(boot) ? File.ReadAllText(boot).Trim() : Environment.MachineName;
    }

    private static long SecondsOf(Process process) =>
        new DateTimeOffset(process.StartTime.ToUniversalTime()).ToUnixTimeSeconds();
}
