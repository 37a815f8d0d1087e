using System.Globalization;

namespace Adjoint.Mpi;

/// <summary>Which implementation of MPI started this process, as far as the environment tells.</summary>
internal enum MpiFamily
{
    /// <summary>Slurm's srun, for instance, which starts either.</summary>
    Any,

    /// <summary>Open MPI: its mpirun, or a launcher that speaks PMIx.</summary>
    OpenMpi,

    /// <summary>MPICH and what is built on it (Intel MPI, MVAPICH): its mpirun is called hydra.</summary>
    Mpich,
}

/// <summary>The launcher that started this process.</summary>
/// <param name="Name">What to call it in messages.</param>
/// <param name="Family">Whose processes it starts.</param>
/// <param name="Size">How many it started.</param>
/// <param name="Variable">The variable of the environment that says so.</param>
internal sealed record MpiLauncher(string Name, MpiFamily Family, int Size, string Variable)
{
    /// <summary>The launcher of this process; null where there is none.</summary>
    internal static MpiLauncher? Find() => Find(Environment.GetEnvironmentVariable);

    /// <summary>The launcher that an environment tells of; null where it tells of none.</summary>
    /// <remarks>
    /// srun's own variables come last: mpirun inside of an allocation starts its processes by srun, and a batch script
    /// inherits <c>SLURM_NTASKS</c> without being a task. Only tasks of srun have <c>SLURM_STEP_NUM_TASKS</c>.
    /// </remarks>
    internal static MpiLauncher? Find(Func<string, string?> environment)
    {
        var isTask = environment("SLURM_STEP_NUM_TASKS") is not null && environment("SLURM_PROCID") is not null;
        return By("Open MPI's mpirun", "OMPI_COMM_WORLD_SIZE", MpiFamily.OpenMpi)
            ?? (isTask
                ? By("Slurm", "PMI_SIZE", MpiFamily.Any) is { } task ? task with { Preferred = MpiFamily.Mpich } : null
                : By("MPICH's mpirun", "PMI_SIZE", MpiFamily.Mpich))
            ?? (isTask && By("Slurm's srun", "SLURM_STEP_NUM_TASKS", MpiFamily.Any) is { } srun
                ? srun with { Preferred = environment("PMIX_RANK") is null ? MpiFamily.Any : MpiFamily.OpenMpi }
                : null);

        MpiLauncher? By(string name, string variable, MpiFamily family) =>
            int.TryParse(environment(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var size)
            && size > 0
                ? new MpiLauncher(name, family, size, variable)
                : null;
    }

    /// <summary>Which family to look for first where <see cref="Family"/> leaves the choice.</summary>
    internal MpiFamily Preferred { get; init; } = Family;
}
