namespace Adjoint.Tests.Ops;

/// <summary>
/// Trainings keep their bits: the gradients in one pass round as those that are composed of ops, row by row.
/// </summary>
public class SoftmaxGradientTests
{
    [Theory, InlineData(1, 1), InlineData(3, 7), InlineData(40, 64), InlineData(5, 1000), InlineData(2, 8193),
        InlineData(1, 20_001)]
    public void One_pass_has_the_bits_of_the_rule_in_ops(int rows, int columns)
    {
        foreach (var type in (DType[])[DType.Float32, DType.Float64, DType.BFloat16])
            foreach (var op in (Func<Tensor, Tensor>[])[x => x.Softmax(), x => x.LogSoftmax(), x => x.Softmax(0)])
            {
                var x = Tensor.Randn([rows, columns], new Generator(2)).To(type).Detach().RequireGrad();
                var weights = Tensor.Randn([rows, columns], new Generator(3)).To(type).Detach();
                double[] Gradient(bool createGraph) =>
                    Differentiation.Gradients(op(x), [x], weights, createGraph: createGraph)[0]!.To(DType.Float64)
                        .ToArray<double>();
                Assert.Equal(Gradient(createGraph: true), Gradient(createGraph: false));
            }
    }
}
