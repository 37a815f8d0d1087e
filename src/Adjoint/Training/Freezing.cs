namespace Adjoint.Training;

/// <summary>
/// Freezes the parameters of a part of the model for some epochs, such as a pretrained part until a new head has
/// learned. Frozen parameters get no gradients and do not change; buffers, such as the running means of a
/// <c>BatchNorm</c>, still do. Afterwards, and when the run ends, they are as they were. Captured steps follow.
/// </summary>
/// <param name="path">The path of a module or a parameter, such as <c>features</c>, as <c>NamedParameters</c> has
/// it.</param>
/// <param name="from">The first epoch in which they are frozen, from 1.</param>
/// <param name="until">The first epoch after it in which they learn again; by default they do not.</param>
public sealed class Freezing(string path, int from = 1, int until = int.MaxValue) : Callback
{
    private readonly List<Tensor> frozen = [];

    /// <inheritdoc/>
    public override void BeforeFit(Trainer trainer)
    {
        if (!Parts(trainer).Any())
            throw new AdjointException(
                $"Freezing: there is no parameter at '{path}'; the model has "
                + string.Join(", ", trainer.Model.NamedParameters().Select(parameter => parameter.Name).Take(10)));
    }

    /// <inheritdoc/>
    public override void BeforeEpoch(Trainer trainer, int epoch)
    {
        Release();
        if (epoch < from || epoch >= until) return;
        foreach (var (_, parameter) in Parts(trainer))
        {
            if (!parameter.RequiresGrad) continue;
            parameter.RequireGrad(false);
            frozen.Add(parameter);
        }
    }

    /// <inheritdoc/>
    public override void AfterFit(Trainer trainer, TrainingResult result) => Release();

    /// <inheritdoc/>
    public override void OnException(Trainer trainer, Exception error) => Release();

    private IEnumerable<(string Name, Tensor Value)> Parts(Trainer trainer) => trainer.Model.NamedParameters().Where(
        parameter => parameter.Name == path || parameter.Name.StartsWith(path + ".", StringComparison.Ordinal));

    private void Release()
    {
        foreach (var parameter in frozen) parameter.RequireGrad();
        frozen.Clear();
    }
}
