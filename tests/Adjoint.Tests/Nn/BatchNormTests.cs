using Adjoint.Nn;
using Adjoint.Training;

namespace Adjoint.Tests.Nn;

/// <summary>When the running statistics move, and who sees it.</summary>
public class BatchNormTests
{
    [Theory]
    [InlineData("recorded"), InlineData("no gradients"), InlineData("frozen"),
        InlineData("frozen, input wants a gradient")]
    public void In_training_the_statistics_move_whether_or_not_a_graph_is_recorded(string how)
    {
        var norm = new BatchNorm(2, momentum: 0.25);
        var x = Tensor.From(new float[] { 1, 10, 3, 30, 5, 50 }, 3, 2);
        if (how.StartsWith("frozen", StringComparison.Ordinal))
            foreach (var parameter in norm.Parameters()) parameter.RequireGrad(false);
        if (how.EndsWith("wants a gradient", StringComparison.Ordinal)) x.RequireGrad();
        if (how == "no gradients")
            using (new NoGrad()) norm.Forward(x);
        else norm.Forward(x);
        // ¾·0 + ¼·mean; ¾·1 + ¼·variance, divided by n − 1.
        var state = norm.StateDict();
        Assert.Equal([0.75f, 7.5f], state["running_mean"].ToArray<float>());
        Assert.Equal([0.75f + 0.25f * 4, 0.75f + 0.25f * 400], state["running_var"].ToArray<float>());
    }

    [Fact]
    public void In_use_the_statistics_stand()
    {
        var norm = new BatchNorm(2).Eval();
        norm.Forward(Tensor.From(new float[] { 1, 10, 3, 30 }, 2, 2));
        Assert.Equal([0f, 0, 1, 1], norm.NamedBuffers().SelectMany(buffer => buffer.Value.ToArray<float>()));
    }

    [Theory, InlineData(true), InlineData(false)]
    public void Statistics_that_move_between_a_forward_in_use_and_its_backward_are_seen(bool recorded)
    {
        var norm = new BatchNorm(2);
        var x = Tensor.From(new float[] { 1, 10, 3, 30 }, 2, 2);
        norm.Eval();
        var y = norm.Forward(x).Square().Sum();
        norm.Train();
        if (recorded) norm.Forward(x);
        else using (new NoGrad()) norm.Forward(x);
        var error = Assert.Throws<AdjointException>(() => y.Backward());
        Assert.Contains("was changed in place after the forward pass", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Evaluating_keeps_a_frozen_layer_frozen_and_moves_nothing()
    {
        var norm = new BatchNorm(2);
        var model = new Sequential(norm, new Linear(2, 2));
        norm.Eval();
        var data = new Adjoint.Data.TensorDataset("two", [2], [1, 10, 3, 30], [0, 1], ["a", "b"]);
        Evaluation.Run(model, new ClassificationTask(), new Adjoint.Data.DataLoader(data, 2));
        Assert.True(model.IsTraining && !norm.IsTraining);
        Assert.Equal([0f, 0, 1, 1], norm.NamedBuffers().SelectMany(buffer => buffer.Value.ToArray<float>()));
    }
}
