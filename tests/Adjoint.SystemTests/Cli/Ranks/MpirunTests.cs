using Adjoint.Cli;

namespace Adjoint.SystemTests.Cli;

/// <summary>Command lines and messages of mpirun, without any.</summary>
public sealed class MpirunTests
{
    [Theory]
    [InlineData("mpirun -H a:2,b:2", "mpirun|-H|a:2,b:2")]
    [InlineData("  mpirun  --mca 'x y'  \"\" ", "mpirun|--mca|x y|")]
    [InlineData("'/opt/my mpi/bin/mpirun'", "/opt/my mpi/bin/mpirun")]
    public void A_command_is_split_as_by_a_shell(string command, string words) =>
        Assert.Equal(words.Split('|'), QuotedWords.Split(command, "--mpirun"));

    [Theory]
    [InlineData("0", "4", null, null, 0, 4)]
    [InlineData(null, null, "2", "3", 2, 3)]
    public void A_rank_is_known_by_its_environment(
        string? rank, string? size, string? pmiRank, string? pmiSize, int number, int count) =>
        Assert.Equal(new LaunchedRank(number, count, false), LaunchedRank.Find(name => name switch
        {
            "OMPI_COMM_WORLD_RANK" => rank,
            "OMPI_COMM_WORLD_SIZE" => size,
            "PMI_RANK" => pmiRank,
            "PMI_SIZE" => pmiSize,
            _ => null,
        }));

    // A task of srun alone, and the shell of a batch job.
    [Theory]
    [InlineData("PMI_RANK", "PMI_SIZE", "1")]
    [InlineData("SLURM_PROCID", "SLURM_NTASKS", "4")]
    public void One_process_is_no_rank(string rank, string size, string count) =>
        Assert.Null(LaunchedRank.Find(name => name == rank ? "0" : name == size ? count : null));

    [Fact]
    public void What_the_shell_of_a_rank_tells_is_a_status() =>
        Assert.Equal(new RankStatus { Event = RankEvent.Killed, Rank = 2, Process = 7, Code = 9 }, RankStatus.Read(
            RankStatus.KilledFormat.Replace("\"rank\":%d", "\"rank\":2", StringComparison.Ordinal)
                .Replace("\"process\":%d", "\"process\":7", StringComparison.Ordinal)
                .Replace("%d", "9", StringComparison.Ordinal)));

    [Theory]
    [InlineData("v4", "v3", "v4 is not to be had on this machine, which uses v3; use v3, or machines that have more")]
    [InlineData("v3", "arm64", "v3 is not to be had on this machine, which uses arm64; leave it out")]
    public void Instructions_that_are_not_there_are_refused(string asked, string current, string message)
    {
        InstructionSet.Require(asked, asked);
        Assert.Equal($"--instructions: {message}",
            Assert.Throws<UsageException>(() => InstructionSet.Require(asked, current)).Message);
    }

    [Fact]
    public void A_status_is_read_as_it_was_written()
    {
        var status = new RankStatus
        {
            Event = RankEvent.Lost,
            Rank = 3,
            Host = "a",
            Process = 7,
            Started = long.MaxValue,
            Step = 12,
            Text = "rank 3 \"is\"\nsilent",
            Code = 1,
        };
        Assert.DoesNotContain('\n', $"{status}");
        Assert.Equal(status, RankStatus.Read($"{status}"));
        Assert.Null(RankStatus.Read($"{status}"[..20]));
    }
}
