using Adjoint.Cli;

namespace Adjoint.SystemTests.Cli;

/// <summary>Options of ranks that cannot be: refused before anything is started.</summary>
public class RankOptionTests
{
    [Theory]
    [InlineData("--restarts=2", "--restarts: does nothing without --ranks, which starts them")]
    [InlineData("--instructions=v3", "--instructions: does nothing without --ranks, which starts them")]
    [InlineData("--mpirun=mpirun -n 2", "--mpirun: leave -n out; --ranks says how many", "--ranks=2")]
    [InlineData("--mpirun='a", "--mpirun: ' is not closed: ''\\''a'", "--ranks=2")]
    [InlineData("--ranks=0", "--ranks: 0 is out of range; use 1 to 65536")]
    [InlineData("--timeout=0.1", "--timeout: 0.1 is out of range; use 0.5 to 86400")]
    [InlineData("--shards=200", "--shards: 200 shards of a batch of 128: some would have no sample; use at most 128, "
        + "or a larger --batch-size")]
    [InlineData("--batch-norm=sync",
        "--batch-norm: does nothing for --model mlp, which has no batch norm; leave it out")]
    public void What_cannot_be_is_refused(string option, string message, string other = "--quiet") =>
        Assert.Equal($"adjoint: {message}", ToolRun.Refused("train", option, other));

    [Fact]
    public void Without_mpirun_one_line_says_so()
    {
        var (code, output, error) = ToolRun.Of("train", "--ranks", "2", "--mpirun", "nowhere/mpirun");
        Assert.Equal((Tool.Failure, ""), (code, output));
        Assert.Equal("adjoint: --mpirun: nowhere/mpirun cannot be started; give its path, or install it",
            error.TrimEnd());
    }
}
