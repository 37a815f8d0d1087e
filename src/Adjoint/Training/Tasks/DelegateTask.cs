using Adjoint.Data;
using Adjoint.Nn;

namespace Adjoint.Training;

/// <summary>A task made of functions: see <see cref="LearningTask.Of"/>.</summary>
internal sealed class DelegateTask<TModel>(
    string name, Func<TModel, Batch, Tensor> loss, Func<TModel, Batch, Tensor>? output) : LearningTask
    where TModel : Module
{
    public override string Name => name;

    public override Tensor Forward(Module model, Batch batch) => output is not null
        ? output(Own(model), batch)
        : throw new AdjointException(
            $"{name}: metrics and predictions need the model's outputs; give LearningTask.Of the function 'output'");

    public override Tensor Loss(Module model, Batch batch) => loss(Own(model), batch);

    // The loss is a function of the model, not of its outputs.
    public override Tensor Loss(Tensor output, Batch batch) =>
        throw new AdjointException($"{name}: its loss is a function of model and batch; call Loss(model, batch)");

    internal override (double TotalLoss, Tensor? Output) Measure(
        Module model, Batch batch, TestTimeAugmentation views)
    {
        var value = RequireScalar(Loss(model, batch)).Item();
        var total = Reduction == Reduction.Mean ? value * Weight(batch) : value;
        return (total, output is null ? null : views.Predict(this, model, batch));
    }

    private TModel Own(Module model) => model as TModel
        ?? throw new AdjointException($"{name}: a model of type {typeof(TModel).Name} is needed: found {model}");
}
