using Adjoint.Mpi;

namespace Adjoint.SystemTests.Mpi;

/// <summary>What the environment tells of the launcher.</summary>
public class MpiLauncherTests
{
    [Theory]
    [InlineData("", null, null, 0)]
    [InlineData("OMPI_COMM_WORLD_SIZE=4 OMPI_COMM_WORLD_RANK=1 PMIX_RANK=1", MpiFamily.OpenMpi, MpiFamily.OpenMpi, 4)]
    [InlineData("PMI_SIZE=3 PMI_RANK=0", MpiFamily.Mpich, MpiFamily.Mpich, 3)]
    [InlineData("PMI_SIZE=1 PMI_RANK=0", MpiFamily.Mpich, MpiFamily.Mpich, 1)]
    // mpirun of either in an allocation of Slurm, where srun starts its daemons.
    [InlineData("OMPI_COMM_WORLD_SIZE=4 SLURM_STEP_NUM_TASKS=2 SLURM_PROCID=0", MpiFamily.OpenMpi, MpiFamily.OpenMpi,
        4)]
    [InlineData("PMI_SIZE=4 SLURM_STEP_NUM_TASKS=2 SLURM_PROCID=0", MpiFamily.Any, MpiFamily.Mpich, 4)]
    [InlineData("SLURM_STEP_NUM_TASKS=5 SLURM_PROCID=2 PMIX_RANK=2", MpiFamily.Any, MpiFamily.OpenMpi, 5)]
    [InlineData("SLURM_STEP_NUM_TASKS=5 SLURM_PROCID=2", MpiFamily.Any, MpiFamily.Any, 5)]
    // A batch script, which is no task.
    [InlineData("SLURM_NTASKS=8 SLURM_PROCID=0 SLURM_JOB_ID=17", null, null, 0)]
    [InlineData("PMI_SIZE=many", null, null, 0)]
    public void It_is_told_apart(string environment, object? family, object? preferred, int size)
    {
        var variables = environment.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .ToDictionary(pair => pair.Split('=')[0], pair => pair.Split('=')[1]);
        var launcher = MpiLauncher.Find(name => variables.GetValueOrDefault(name));
        Assert.Equal((family, preferred, size),
            (launcher?.Family, launcher?.Preferred, launcher?.Size ?? 0));
    }
}
