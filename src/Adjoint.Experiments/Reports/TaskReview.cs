using System.Xml.Linq;
using Adjoint.Data;
using Adjoint.Training;

namespace Adjoint.Experiments;

/// <summary>
/// What a report shows of the best model's predictions, each task in its own way: made from the outputs on the
/// validation samples.
/// </summary>
public abstract class TaskReview
{
    private protected TaskReview() { }

    /// <summary>The review of a task.</summary>
    /// <param name="task">What the model is for.</param>
    /// <param name="data">The samples that are measured, in the order in which they are.</param>
    /// <returns>A review, without samples so far.</returns>
    public static TaskReview Of(LearningTask task, Dataset data) => task switch
    {
        RegressionTask => new RegressionReview(task, data),
        MultiLabelTask => new LabelReview(task, data),
        NextTokenTask when data.Preprocessing is TextPreprocessing => new TextReview(data),
        SegmentationTask => new SegmentationReview(task, data),
        _ => new WorstSamples(task, data),
    };

    /// <summary>Takes in the next batch of the data set, in its order.</summary>
    /// <param name="outputs">The raw outputs of the model.</param>
    /// <param name="batch">The samples that the outputs are for, in their order.</param>
    public abstract void Observe(Tensor outputs, Batch batch);

    /// <summary>What stands in the report.</summary>
    internal abstract IEnumerable<XElement> Sections();
}
