namespace Adjoint.Tests.Ops;

/// <summary>What each op refuses, and how it says so: op, rule, found, remedy.</summary>
public class BadInputTests
{
    private static readonly BadInput[] All = [.. OpCases.All.SelectMany(row => row.Bad)];

    public static TheoryData<int, string> Rows() => [.. All.Select((row, i) => (i, row.Message))];

    [Theory, MemberData(nameof(Rows))]
    public void Message_names_op_rule_found_and_remedy(int row, string message) =>
        Assert.Equal(message, Assert.Throws<AdjointException>(All[row].Act).Message);

    [Fact]
    public void Element_wise_ops_say_how_many_they_take_and_what_does_not_broadcast()
    {
        var (x, y) = (Tensor.Zeros(2, 3), Tensor.Zeros(4));
        foreach (var op in OpCases.OpsOfAllRows().Where(IsElementwise).DistinctBy(op => op.Name))
        {
            string Message(params Tensor[] inputs) =>
                Assert.Throws<AdjointException>(() => Op.Apply(op, inputs)).Message;
            if (DualTests.IsUnary(op)) Assert.Equal($"{op.Name}: takes one tensor: found 2", Message(x, y));
            else
            {
                Assert.Equal($"{op.Name}: takes two tensors: found 1", Message(x));
                Assert.Equal(
                    $"{op.Name}: shapes do not broadcast: (2, 3) and (4,): sizes 3 and 4 at axis -1 must be equal or 1",
                    Message(x, y));
            }
        }
    }

    [Fact]
    public void Every_op_of_the_catalogue_refuses_something()
    {
        // A copy can be made of everything.
        var missing = OpCases.All.Where(row => row is { Entry.Op: var op, Bad: [] }
            && !IsElementwise(op) && op is not ContiguousOp);
        Assert.Empty(missing.Select(row => row.Name));
        Assert.All(OpCases.All, row => Assert.All(row.Bad, bad =>
            Assert.StartsWith(row.Name.Split(',')[0] + ":", bad.Message, StringComparison.Ordinal)));
    }

    private static bool IsElementwise(Op op) => DualTests.Base(op.GetType()) is not null;
}
