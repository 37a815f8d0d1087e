using System.Reflection;
using System.Runtime.InteropServices;
using Adjoint.Distributed;

namespace Adjoint.Mpi;

/// <summary>
/// The MPI library of this process: found by name, told apart by what it exports, with the values of its handles. The
/// implementations agree on the functions and differ in everything that the C header calls a constant.
/// </summary>
internal sealed class MpiLibrary
{
    /// <summary>The variable of the environment that names the library, where the choice made here is wrong.</summary>
    internal const string Variable = "ADJOINT_MPI";

    private const string Wanted = $"set {Variable} to the path of the library that belongs to the launcher";

    private static readonly Lock Gate = new();
    private static MpiLibrary? loaded;

    private readonly nint module;

    private MpiLibrary(nint module, string file, MpiFamily family)
    {
        (this.module, File, Family) = (module, file, family);
        var missing = MpiFunctions.All.Where(name => !NativeLibrary.TryGetExport(module, name, out _)).ToArray();
        if (missing.Length > 0)
            throw new TransportException(
                $"{file} lacks {missing[0]}: it is not the library of an MPI 2 or later; {Wanted}");
        (World, Byte, ErrorsReturn, Serialized) = family switch
        {
            MpiFamily.OpenMpi => (Address("ompi_mpi_comm_world"), Address("ompi_mpi_byte"),
                Address("ompi_mpi_errors_return"), 2),
            MpiFamily.Mpich => ((nint)0x44000000, (nint)0x4c00010d, (nint)0x54000001, 2),
            // The application binary interface of MPI 5.0, chapter 20, which either may implement.
            _ => ((nint)0x101, (nint)0x247, (nint)0x142, 2048),
        };
    }

    /// <summary>Its file, as it was asked for.</summary>
    internal string File { get; }

    /// <summary>Whose it is; <see cref="MpiFamily.Any"/> for the standard ABI, which does not tell.</summary>
    internal MpiFamily Family { get; }

    /// <summary>MPI_COMM_WORLD.</summary>
    internal nint World { get; }

    /// <summary>MPI_BYTE.</summary>
    internal nint Byte { get; }

    /// <summary>MPI_ERRORS_RETURN: errors are codes, and do not end the process.</summary>
    internal nint ErrorsReturn { get; }

    /// <summary>MPI_THREAD_SERIALIZED: calls come from several threads, but never two at a time.</summary>
    internal int Serialized { get; }

    /// <summary>Whether libraries are looked for on this system at all.</summary>
    internal static bool IsSupported => OperatingSystem.IsLinux() || OperatingSystem.IsMacOS();

    /// <summary>Loads the library for the processes of a launcher; once, MPI cannot be loaded again.</summary>
    /// <exception cref="TransportException">There is none, or it is not the launcher's.</exception>
    internal static MpiLibrary Load(MpiLauncher launcher)
    {
        lock (Gate)
        {
            if (loaded is not null) return loaded;
            if (!IsSupported)
                throw new TransportException(
                    $"{launcher.Name} started this process, and MPI is supported on Linux only (and tried on macOS): "
                    + "run it under WSL, or without a launcher");
            loaded = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } path
                ? Named(path, launcher)
                : Found(launcher);
            NativeLibrary.SetDllImportResolver(typeof(MpiLibrary).Assembly, Resolve);
            return loaded;
        }
    }

    /// <summary>The file names of a family's library, the likely ones first.</summary>
    internal static string[] Names(MpiFamily family)
    {
        string[] versions = family == MpiFamily.OpenMpi ? ["mpi:40"] : ["mpi:12", "mpich:12"];
        // Plain libmpi belongs to either. The standard ABI is last: it may be installed by the other one.
        return [.. versions.Append("mpi").Append("mpi_abi:1").Append("mpi_abi:0").Append("mpi_abi").Select(FileName)];

        static string FileName(string name)
        {
            var version = name.Split(':') is [_, var number] ? "." + number : "";
            return OperatingSystem.IsMacOS()
                ? $"lib{name.Split(':')[0]}{version}.dylib"
                : $"lib{name.Split(':')[0]}.so{version}";
        }
    }

    private static MpiLibrary Named(string path, MpiLauncher launcher)
    {
        if (!System.IO.File.Exists(path))
            throw new TransportException($"{Variable} names {path}, which does not exist; {Wanted}, or unset it");
        nint module;
        try
        {
            module = NativeLibrary.Load(Path.GetFullPath(path));
        }
        catch (Exception error) when (error is DllNotFoundException or BadImageFormatException)
        {
            throw new TransportException(
                $"{Variable} names {path}, which cannot be loaded ({FirstLine(error.Message)}); {Wanted}, or unset it");
        }
        var library = new MpiLibrary(module, path, FamilyOf(module, path));
        if (!Serves(library.Family, launcher))
            throw new TransportException(
                $"{Variable} names {path}, which is {NameOf(library.Family)}'s, and {launcher.Name} started this "
                + $"process; {Wanted}, or start it with the mpirun of {NameOf(library.Family)}");
        return library;
    }

    private static MpiLibrary Found(MpiLauncher launcher)
    {
        MpiFamily[] families = launcher.Family != MpiFamily.Any ? [launcher.Family]
            : launcher.Preferred == MpiFamily.Mpich ? [MpiFamily.Mpich, MpiFamily.OpenMpi]
            : [MpiFamily.OpenMpi, MpiFamily.Mpich];
        var names = families.SelectMany(Names).Distinct().ToArray();
        string? other = null;
        foreach (var name in names)
        {
            if (!NativeLibrary.TryLoad(name, out var module)) continue;
            var family = FamilyOf(module, name);
            if (Serves(family, launcher)) return new MpiLibrary(module, name, family);
            other ??= $"{name} is {NameOf(family)}'s";
        }
        var wanted = launcher.Family switch
        {
            MpiFamily.OpenMpi => "Open MPI (Debian: openmpi-bin)",
            MpiFamily.Mpich => "MPICH (Debian: mpich)",
            _ => "Open MPI or MPICH (Debian: openmpi-bin, mpich)",
        };
        throw new TransportException(
            $"{launcher.Name} started {launcher.Size} processes, and its MPI library is not here: looked for "
            + $"{string.Join(", ", names)}{(other is null ? "" : $"; {other}")}. Install {wanted} on every machine, or "
            + Wanted);
    }

    // A library that is not the launcher's would take each process for the only one.
    private static bool Serves(MpiFamily family, MpiLauncher launcher) =>
        family == MpiFamily.Any || launcher.Family == MpiFamily.Any || family == launcher.Family;

    private static MpiFamily FamilyOf(nint module, string path)
    {
        var target = System.IO.File.Exists(path)
            ? System.IO.File.ResolveLinkTarget(path, returnFinalTarget: true)?.Name ?? path
            : path;
        if (Path.GetFileName(path).StartsWith("libmpi_abi.", StringComparison.Ordinal)
            || Path.GetFileName(target).StartsWith("libmpi_abi.", StringComparison.Ordinal))
            return MpiFamily.Any;
        return NativeLibrary.TryGetExport(module, "ompi_mpi_comm_world", out _) ? MpiFamily.OpenMpi : MpiFamily.Mpich;
    }

    private static string NameOf(MpiFamily family) => family == MpiFamily.OpenMpi ? "Open MPI" : "MPICH";

    private static string FirstLine(string text) => text.Split('\n')[0].Trim();

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? search) =>
        name == MpiFunctions.Library ? loaded!.module : 0;

    private nint Address(string symbol) =>
        NativeLibrary.TryGetExport(module, symbol, out var address)
            ? address
            : throw new TransportException($"{File} lacks {symbol}: it is not a complete Open MPI; {Wanted}");
}
