namespace Adjoint.SystemTests.Mpi;

/// <summary>Ranks on two hosts, with a network between them that is slow, loses packets, or is cut.</summary>
[Collection(Collections.Waiting)]
public class TwoHostsTests
{
    public static TheoryData<string> Implementations => MpiRun.Implementations;

    [Theory, MemberData(nameof(Implementations))]
    public void A_slow_network_that_loses_packets_is_only_slow(string mpirun)
    {
        using var hosts = new TwoHosts(TimeSpan.FromMilliseconds(50), loss: 0.01);
        using var run = hosts.Start(mpirun, 2, "work", "10", "1");
        Assert.True(run.Wait() == 0, run.Text);
        run.LineWith("1 ends");
    }

    // Both sides end, with all that mpirun started on either: it would wait for an answer from the other side.
    [Theory, MemberData(nameof(Implementations))]
    public void A_link_that_is_cut_ends_both_sides(string mpirun)
    {
        using var hosts = new TwoHosts();
        using var run = hosts.Start(mpirun, 3, "work", "3", "60");
        for (var rank = 0; rank < 3; rank++) run.LineWith($"{rank} begins");
        hosts.IsCut = true;
        Assert.NotEqual(0, run.Wait());
        // What the other side finds does not come through.
        run.LineWith($"0 RankFailureException: rank 1 on {hosts.NameOf(1)} has been silent for ");
    }

    [Theory, MemberData(nameof(Implementations))]
    public void A_partition_of_30_s_is_survived_with_a_timeout_of_60(string mpirun)
    {
        SkipUnlessLong();
        if (!File.Exists("/proc/sys/net/ipv4/tcp_rto_max_ms"))
            Assert.Skip("skipped: before Linux 6.15, TCP may notice only after another 30 s that the network is back");
        using var hosts = new TwoHosts();
        using var run = hosts.Start(mpirun, 2, "work", "60", "4");
        for (var rank = 0; rank < 2; rank++) run.LineWith($"{rank} begins");
        hosts.IsCut = true;
        Thread.Sleep(30_000);
        hosts.IsCut = false;
        Assert.True(run.Wait() == 0, run.Text);
        run.LineWith("1 ends");
    }

    [Theory, MemberData(nameof(Implementations))]
    public void A_partition_of_30_s_is_a_failure_with_a_timeout_of_10(string mpirun)
    {
        SkipUnlessLong();
        using var hosts = new TwoHosts();
        using var run = hosts.Start(mpirun, 2, "work", "10", "60");
        for (var rank = 0; rank < 2; rank++) run.LineWith($"{rank} begins");
        hosts.IsCut = true;
        var line = run.LineWith($"0 RankFailureException: rank 1 on {hosts.NameOf(1)} has been silent for ");
        Thread.Sleep(20_000);
        hosts.IsCut = false;
        Assert.NotEqual(0, run.Wait());
        Assert.Matches("silent for (9|10)\\.", line);
    }

    private static void SkipUnlessLong()
    {
        if (Environment.GetEnvironmentVariable("ADJOINT_LONG") is null)
            Assert.Skip("skipped: a step of .ci/run --long; set ADJOINT_LONG=1 to run it");
    }
}
