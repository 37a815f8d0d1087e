using Adjoint.Data;
using Adjoint.Nn;

namespace Adjoint.Training;

/// <summary>How a classifier does on a data set.</summary>
/// <param name="Loss">The mean cross-entropy per sample.</param>
/// <param name="Accuracy">The share of samples whose largest logit is the label's.</param>
/// <param name="Confusion">Confusion[label, prediction]: how many samples.</param>
public sealed record Evaluation(double Loss, double Accuracy, int[,] Confusion)
{
    /// <summary>
    /// Measures without recording a graph, with the model switched to use; switches each part back that was training.
    /// </summary>
    /// <param name="model">Gives logits (n, classes).</param>
    /// <param name="batches">The samples: inputs and labels, such as a <see cref="DataLoader"/> gives them.</param>
    /// <param name="views">Of each sample; null takes it as it is.</param>
    /// <param name="observe">Called for each batch with logits and labels, in order; null is not.</param>
    public static Evaluation Run(
        Layer model, IEnumerable<(Tensor Inputs, Tensor Labels)> batches, TestTimeAugmentation? views = null,
        Action<Tensor, Tensor>? observe = null)
    {
        using var recording = new NoGrad();
        using var use = model.InUse();
        int[,]? confusion = null;
        var (loss, right, count) = (0.0, 0, 0);
        foreach (var (x, y) in batches)
        {
            var logits = (views ?? TestTimeAugmentation.None).Predict(model, x);
            observe?.Invoke(logits, y);
            loss += Adjoint.Loss.CrossEntropy(logits, y, reduction: Reduction.Sum).Item();
            var (predicted, labels) = (logits.ArgMax().ToArray<long>(), y.ToArray<long>());
            confusion ??= new int[logits.Shape[1], logits.Shape[1]];
            for (var i = 0; i < labels.Length; i++)
            {
                confusion[labels[i], predicted[i]]++;
                if (labels[i] == predicted[i]) right++;
            }
            count += labels.Length;
        }
        return new(loss / count, (double)right / count, confusion ?? new int[0, 0]);
    }
}
