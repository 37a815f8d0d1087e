using System.Runtime.InteropServices;

namespace Adjoint.Experiments;

/// <summary>What results say of the machine that made them.</summary>
public static class ThisMachine
{
    /// <summary>The .NET runtime with its version, such as <c>.NET 10.0.1</c>.</summary>
    public static string Runtime => RuntimeInformation.FrameworkDescription;

    /// <summary>The operating system with its version, and the architecture of the process.</summary>
    public static string SystemName => $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}";

    /// <summary>Processor, cores, architecture, system, runtime, and version of the library, in one line.</summary>
    public static string Description { get; } =
        $"{Processor()}{Environment.ProcessorCount} cores {RuntimeInformation.ProcessArchitecture}, "
        + $"{RuntimeInformation.OSDescription}, {Runtime}, Adjoint {LibraryVersion.Text}";

    // .NET does not tell a processor's name. Linux on x86 and Windows do; on ARM64 and macOS it is left out.
    private static string Processor()
    {
        const string linux = "/proc/cpuinfo";
        const string key = "model name";
        var name = File.Exists(linux)
            ? File.ReadLines(linux)
                .FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal))?.Split(": ")[^1]
            : Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER");
        return string.IsNullOrWhiteSpace(name) ? "" : name.Trim() + ", ";
    }
}
