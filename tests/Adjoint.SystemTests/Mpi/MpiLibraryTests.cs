namespace Adjoint.SystemTests.Mpi;

/// <summary>What is refused, each with one line that says what to do.</summary>
public class MpiLibraryTests
{
    private const string Folder = "/usr/lib/x86_64-linux-gnu";

    private static readonly Dictionary<string, string> UnderOpenMpi = new()
    { ["OMPI_COMM_WORLD_SIZE"] = "4", ["OMPI_COMM_WORLD_RANK"] = "0" };

    private static readonly Dictionary<string, string> UnderMpich = new() { ["PMI_SIZE"] = "4", ["PMI_RANK"] = "0" };

    [Fact]
    public void A_library_that_is_not_there_is_refused() => Refused(
        new(UnderMpich) { ["ADJOINT_MPI"] = "/no/libmpi.so" },
        "ADJOINT_MPI names /no/libmpi.so, which does not exist; set ADJOINT_MPI to the path of the library that "
        + "belongs to the launcher, or unset it");

    [Fact]
    public void A_file_that_is_no_library_is_refused()
    {
        var file = Path.GetTempFileName();
        File.WriteAllText(file, "no library");
        Refused(new(UnderMpich) { ["ADJOINT_MPI"] = file }, $"ADJOINT_MPI names {file}, which cannot be loaded (");
        File.Delete(file);
    }

    [Fact]
    public void A_library_without_what_is_needed_is_refused() => Refused(
        new(UnderMpich) { ["ADJOINT_MPI"] = $"{Folder}/libm.so.6" },
        $"{Folder}/libm.so.6 lacks MPI_Init_thread: it is not the library of an MPI 2 or later; set ADJOINT_MPI to the "
        + "path of the library that belongs to the launcher");

    [Fact]
    public void The_library_of_another_launcher_is_refused() => Refused(
        new(UnderOpenMpi) { ["ADJOINT_MPI"] = Installed("libmpich.so.12") },
        $"ADJOINT_MPI names {Folder}/libmpich.so.12, which is MPICH's, and Open MPI's mpirun started this process; set "
        + "ADJOINT_MPI to the path of the library that belongs to the launcher, or start it with the mpirun of MPICH");

    // srun without --mpi: each task would take itself for the whole world.
    [Fact]
    public void A_world_of_another_size_than_the_launcher_s_is_refused() => Refused(
        new()
        {
            ["SLURM_STEP_NUM_TASKS"] = "4",
            ["SLURM_PROCID"] = "0",
            ["ADJOINT_MPI"] = Installed("libmpich.so.12"),
        },
        $" ({Folder}/libmpich.so.12) says that there are 1 processes, and Slurm's srun started 4 "
        + "(SLURM_STEP_NUM_TASKS): the library is not the launcher's. Set ADJOINT_MPI to the path of the library that "
        + "is; with srun, choose what it speaks: srun --mpi=pmi2 (MPICH), --mpi=pmix (Open MPI)");

    [Theory]
    [InlineData("Open MPI's mpirun", "openmpi-bin", "libmpi.so.40")]
    [InlineData("MPICH's mpirun", "mpich", "libmpi.so.12")]
    public void Where_no_MPI_is_installed_it_says_what_to_install(string launcher, string package, string first)
    {
        if (Environment.UserName != "root" || !File.Exists("/usr/bin/unshare"))
            Assert.Skip("skipped: it hides the installed libraries, in a mount namespace, which needs root");
        var hidden = new[] { "libmpi.so.40", "libmpich.so.12", "libmpi.so" }.Select(name => $"{Folder}/{name}")
            .Where(File.Exists).Select(path => $"mount --bind /dev/null {path} && ");
        using var run = MpiRun.Start(
            ["unshare", "-m", "sh", "-c",
                $"{string.Concat(hidden)}exec {string.Join(' ', MpiRun.Program)} collectives"],
            launcher[0] == 'O' ? UnderOpenMpi : UnderMpich);
        Assert.NotEqual(0, run.Wait());
        var line =
            run.LineWith($"{launcher} started 4 processes, and its MPI library is not here: looked for {first}, ");
        Assert.Contains($"(Debian: {package}) on every machine, or set ADJOINT_MPI to ", line,
            StringComparison.Ordinal);
    }

    private static void Refused(Dictionary<string, string> environment, string message)
    {
        using var run = MpiRun.Start([.. MpiRun.Program, "collectives"], environment);
        Assert.Equal(1, run.Wait());
        run.LineWith(message);
        Assert.DoesNotContain('\n', run.Text);
    }

    private static string Installed(string name)
    {
        if (!File.Exists($"{Folder}/{name}")) Assert.Skip("skipped: no MPICH; install Debian's package mpich");
        return $"{Folder}/{name}";
    }
}
