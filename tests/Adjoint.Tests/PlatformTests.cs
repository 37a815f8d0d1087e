using System.Text.RegularExpressions;

namespace Adjoint.Tests;

/// <summary>Code that differs by operating system is in one place of each project.</summary>
public partial class PlatformTests
{
    private static readonly string[] Places =
    [
        "src/Adjoint/Data/Platform.cs",
        "src/Adjoint.Cli/Platform.cs",
        "src/Adjoint.Experiments/Running/ThisMachine.cs",
        // The number of the start of a machine.
        "src/Adjoint.Experiments/Running/LeaseHolder.cs",
        // The instructions of the processor.
        "src/Adjoint.Cli/Ranks/InstructionSet.cs",
        "src/Adjoint/Training/Parallel/TrainingFacts.cs",
        // The whole project calls a native library, and those of the system that it disturbs.
        "src/Adjoint.Mpi/LauncherGuard.cs",
        "src/Adjoint.Mpi/MpiFunctions.cs",
        "src/Adjoint.Mpi/MpiLibrary.cs",
        "src/Adjoint.Mpi/MpiTransport.cs",
        "src/Adjoint.Mpi/OpenFiles.cs",
        "src/Adjoint.Mpi/SignalHandlers.cs",
        "src/Adjoint.Mpi/TcpPauses.cs",
        // Peers of the benchmark, which load native libraries.
        "bench/Adjoint.Bench.Torch/Program.cs",
        "bench/Adjoint.Bench/Sides/OpenBlasSide.cs",
        "bench/Adjoint.Bench/Machine/MachineFacts.cs",
        "bench/Adjoint.Bench/Machine/ProcFiles.cs",
        "bench/Adjoint.Bench/Machine/Processor.cs",
        // The clock of a thread.
        "bench/Adjoint.Bench/TieringReport.cs",
    ];

    [Fact]
    public void Only_these_files_ask_for_the_system_or_call_it()
    {
        var root = LayeringTests.Root();
        var files = new[] { "src", "bench", "samples" }
            .SelectMany(folder => Directory.GetFiles(Path.Combine(root, folder), "*.cs", SearchOption.AllDirectories))
            .Select(path => (Name: Path.GetRelativePath(root, path).Replace('\\', '/'), Text: File.ReadAllText(path)))
            .Where(file => !file.Name.Contains("/obj/", StringComparison.Ordinal));
        var found = files.Where(file => SystemCode().IsMatch(file.Text)).Select(file => file.Name);
        Assert.Equal(Places.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
    }

    [GeneratedRegex("""
        OperatingSystem\.Is|RuntimeInformation\.|OSVersion|DllImport|LibraryImport|NativeLibrary\.
        |PosixSignal|CancelKeyPress|UseShellExecute|UnixFileMode|SpecialFolder|WindowWidth|BufferWidth
        |"/(proc|sys|dev|etc|tmp|usr)\b|\bPath\.(DirectorySeparatorChar|AltDirectorySeparatorChar|PathSeparator)
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex SystemCode();
}
