namespace Adjoint.Tests;

/// <summary>A captured function of the commonest form: from samples and labels to a loss and gradients.</summary>
internal sealed class CapturedStep
{
    private readonly CapturedFunction<Tensor> function;

    private CapturedStep(CapturedFunction<Tensor> function) => this.function = function;

    internal static CapturedStep Create(
        Func<Tensor, Tensor, Tensor> loss, IEnumerable<Tensor> parameters, bool fallBackToEager = false)
    {
        Tensor[] own = [.. parameters.Distinct()];
        return new(CapturedFunction.Create(
            (Tensor x, Tensor y) =>
            {
                foreach (var parameter in own) parameter.ZeroGrad();
                var value = loss(x, y);
                value.BackwardTo(own);
                return value;
            },
            fallBackToEager));
    }

    internal bool IsCaptured => function.IsCaptured;

    internal string? Refusal => function.Refusal;

    internal int Operations => function.Operations;

    internal long PlannedBytes => function.PlannedBytes;

    internal Adjoint.Memory.SlabLayout? Layout => function.Layout;

    internal Tensor Run(Tensor x, Tensor y) => function.Run(x, y);
}
