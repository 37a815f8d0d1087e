using System.Globalization;
using Adjoint.Experiments;

namespace Adjoint.Tests.Experiments;

public sealed class RankEpochsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Epochs_are_added_up_and_the_skew_is_that_of_the_slowest()
    {
        Write(Line(1, ("a", 100, 1, 0.5), ("b", 50, 2, 0)), Line(2, ("a", 300, 3, 1), ("c", 150, 6, 0)));
        var ranks = RankEpochs.Load(folder);
        Assert.Equal(2, ranks.LastEpoch);
        Assert.Equal([new(0, "a", 300, 3, 1, 0.25, 1000), new(1, "c", 150, 6, 0, 0.25, 1000)], ranks.Last);
        Assert.Equal([new(0, "a", 200, 4, 1.5, 0.5, 2000), new(1, "c", 100, 8, 0, 0.5, 2000)], ranks.Overall);
        // 8 / ((4 + 8) / 2) − 1
        Assert.Equal(1.0 / 3, RankEpochs.Skew(ranks.Overall), 1e-12);
        Assert.Equal(double.NaN, RankEpochs.Skew([]));
    }

    [Fact]
    public void A_resumed_run_replaces_its_later_epochs_and_may_have_other_ranks()
    {
        Write(Line(1, ("a", 1, 1, 0), ("a", 1, 1, 0)), Line(2, ("a", 1, 1, 0), ("a", 1, 1, 0)),
            Line(3, ("a", 1, 1, 0), ("a", 1, 1, 0)), Line(2, ("b", 2, 5, 0)));
        var ranks = RankEpochs.Load(folder);
        Assert.Equal(2, ranks.LastEpoch);
        Assert.Equal("b", Assert.Single(ranks.Last).Host);
        Assert.Equal([6, 1], ranks.Overall.Select(rank => rank.ComputeSeconds));
    }

    [Theory]
    [InlineData("{\"epoch\":2,\"ra")]
    [InlineData("{\"epoch\":2,\"ranks\":3}\n")]
    [InlineData("{\"epoch\":0,\"ranks\":[]}\n")]
    [InlineData("{\"epoch\":2,\"ranks\":[{\"rank\":0}]}\n")]
    [InlineData("\0\0\0\n")]
    [InlineData("[]\n{\"epoch\":3,\"ranks\":[]}\n")]
    public void What_is_damaged_is_left_out(string rest)
    {
        Assert.Empty(RankEpochs.Load(folder).Last);
        Write(Line(1, ("a", 1, 1, 0)));
        File.AppendAllText(Path.Combine(folder, "ranks.jsonl"), rest);
        var ranks = RankEpochs.Load(folder);
        Assert.Equal((1, 1), (ranks.LastEpoch, ranks.Last.Count));
    }

    [Fact]
    public void What_is_not_finite_counts_as_0()
    {
        Write("""
            {"epoch":1,"ranks":[{"rank":0,"host":"a","samplesPerSecond":null,"computeSeconds":0,"waitSeconds":0,
            "hiddenSeconds":0,"bytes":0}]}
            """.ReplaceLineEndings(""));
        Assert.Equal(new(0, "a", 0, 0, 0, 0, 0), Assert.Single(RankEpochs.Load(folder).Last));
    }

    private void Write(params string[] lines) => File.WriteAllLines(Path.Combine(folder, "ranks.jsonl"), lines);

    internal static string Line(int epoch, params (string Host, double Rate, double Compute, double Wait)[] ranks) =>
        $"{{\"epoch\":{epoch},\"ranks\":[" + string.Join(',', ranks.Select((rank, number) => string.Create(
            CultureInfo.InvariantCulture,
            $"{{\"rank\":{number},\"host\":\"{rank.Host}\",\"samplesPerSecond\":{rank.Rate},"
            + $"\"computeSeconds\":{rank.Compute},\"waitSeconds\":{rank.Wait},\"hiddenSeconds\":0.25,"
            + $"\"bytes\":1000}}")))
        + "]}";
}
