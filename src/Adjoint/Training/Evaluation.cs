using Adjoint.Data;
using Adjoint.Nn;

namespace Adjoint.Training;

/// <summary>The measures of a classifier on a data set.</summary>
/// <param name="Loss">The mean cross-entropy per sample.</param>
/// <param name="Accuracy">The fraction of samples whose largest logit is the label's.</param>
/// <param name="Confusion">The confusion matrix [label, prediction], counts of samples.</param>
public sealed record Evaluation(double Loss, double Accuracy, int[,] Confusion)
{
    /// <summary>
    /// Measures a classifier in evaluation mode, without recording a graph; the modes of its modules are restored
    /// afterwards.
    /// </summary>
    /// <param name="model">The classifier, with logits (n, classes).</param>
    /// <param name="batches">Inputs and labels, such as a <see cref="DataLoader"/>.</param>
    /// <param name="views">The views of each sample to average over; null: the sample itself.</param>
    /// <param name="observe">Called for each batch with logits and labels, in order; null: nothing is called.</param>
    /// <returns>Loss, accuracy and confusion matrix.</returns>
    public static Evaluation Run(
        Layer model, IEnumerable<Batch> batches, TestTimeAugmentation? views = null,
        Action<Tensor, Tensor>? observe = null)
    {
        using var recording = new NoGrad();
        using var use = model.EvalScope();
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
