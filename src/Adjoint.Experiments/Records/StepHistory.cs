using System.Diagnostics;
using Adjoint.Training;

namespace Adjoint.Experiments;

/// <summary>
/// The training loss within epochs, as few points: some per second at first; when there are too many, two become one,
/// and the next ones come half as often. So a run of any length takes little memory and shows its whole course.
/// </summary>
public sealed class StepHistory
{
    private const int Most = 1024;
    private static readonly TimeSpan FirstInterval = TimeSpan.FromSeconds(0.2);
    private readonly List<StepLoss> points = [];
    private readonly Func<TimeSpan> clock;
    private TimeSpan interval = FirstInterval, last;
    private double sum;
    private int samples;

    /// <summary>Creates a history without points.</summary>
    /// <param name="clock">The time since any moment; null: the computer's.</param>
    public StepHistory(Func<TimeSpan>? clock = null)
    {
        this.clock = clock ?? (() => Stopwatch.GetElapsedTime(0));
        last = this.clock();
    }

    /// <summary>The points so far, in the order of the steps.</summary>
    public IReadOnlyList<StepLoss> Points => points;

    /// <summary>Takes a step into account.</summary>
    /// <param name="step">The step that was just made.</param>
    /// <param name="halved">Whether points became fewer: two became one.</param>
    /// <returns>Whether there is a new point, or fewer.</returns>
    public bool Add(StepInfo step, out bool halved)
    {
        sum += step.Loss * step.Samples;
        samples += step.Samples;
        halved = false;
        var now = clock();
        if (now - last < interval) return false;
        points.Add(new(step.Epoch, step.Step, step.Steps, sum / samples));
        (sum, samples, last) = (0, 0, now);
        if (points.Count < Most) return true;
        halved = true;
        interval *= 2;
        for (var i = 0; i < Most / 2; i++)
            points[i] = points[2 * i + 1] with { Loss = (points[2 * i].Loss + points[2 * i + 1].Loss) / 2 };
        points.RemoveRange(Most / 2, Most / 2);
        return true;
    }

    /// <summary>Begins with the points of an earlier part of the run.</summary>
    internal void Restore(IEnumerable<StepLoss> earlier)
    {
        points.Clear();
        points.AddRange(earlier.Take(Most - 1));
        (interval, sum, samples) = (FirstInterval, 0, 0);
    }
}
