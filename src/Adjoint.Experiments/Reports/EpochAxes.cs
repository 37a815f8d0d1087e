using OxyPlot;
using OxyPlot.Annotations;
using OxyPlot.Axes;

namespace Adjoint.Experiments;

/// <summary>
/// The axes of curves over epochs. Where curves start far off and end close together, such as at 10, 97.5 and 97.9 %, a
/// second axis above the whole range enlarges where they end: else their differences could not be seen.
/// </summary>
internal static class EpochAxes
{
    private const string CloseUpKey = "close-up";

    // Where the later values span less than this share of all values, they are enlarged.
    private const double Close = 0.25;
    private const int FewEpochs = 3;

    /// <summary>
    /// What is enlarged: the values after the first quarter of the epochs, when they span less than a quarter of all
    /// values. Null where they span more, or epochs are too few.
    /// </summary>
    internal static (double Low, double High)? CloseUp(IEnumerable<(int Epoch, double Value)> points)
    {
        var known = points.Where(point => double.IsFinite(point.Value)).ToArray();
        if (known.Length == 0 || known.Max(point => point.Epoch) is var last && last < FewEpochs) return null;
        var late = known.Where(point => point.Epoch > last / 4).Select(point => point.Value).ToArray();
        var (low, high) = (late.Min(), late.Max());
        var span = high - low;
        return span > 0 && span < Close * (known.Max(point => point.Value) - known.Min(point => point.Value))
            ? (low - span / 20, high + span / 20)
            : null;
    }

    /// <summary>Adds the axis of values, or both, and returns their keys: each series is drawn once for each.</summary>
    /// <param name="model">The plot.</param>
    /// <param name="title">What the values are.</param>
    /// <param name="range">What is enlarged, or null.</param>
    internal static string?[] AddValues(PlotModel model, string title, (double Low, double High)? range)
    {
        if (range is not { } enlarged)
        {
            model.Axes.Add(Values(title, 0, 1));
            return [null];
        }
        model.Axes.Add(Values("whole range", 0, 0.24));
        var axis = Values($"{title}, enlarged", 0.3, 1);
        (axis.Key, axis.Minimum, axis.Maximum) = (CloseUpKey, enlarged.Low, enlarged.High);
        model.Axes.Add(axis);
        model.Annotations.Add(new LineAnnotation
        {
            Type = LineAnnotationType.Horizontal,
            YAxisKey = CloseUpKey,
            Y = enlarged.Low,
            Color = OxyColors.Black,
            LineStyle = LineStyle.Solid,
            StrokeThickness = 1,
        });
        return [null, CloseUpKey];
    }

    /// <summary>The axis of epochs, from 0 to the last.</summary>
    internal static LinearAxis Bottom(int last) => new()
    {
        Position = AxisPosition.Bottom,
        Title = "epoch",
        Minimum = 0,
        Maximum = Math.Max(1, last),
        MinimumMajorStep = 1,
        MinorTickSize = 0,
        MajorGridlineStyle = LineStyle.Dot,
        MajorGridlineColor = OxyColors.LightGray,
    };

    // An axis of values along a part of the figure's height.
    private static LinearAxis Values(string title, double from, double to) => new()
    {
        Position = AxisPosition.Left,
        Title = title,
        StartPosition = from,
        EndPosition = to,
        AxisTitleDistance = 18,
        MinorTickSize = 0,
        MajorGridlineStyle = LineStyle.Dot,
        MajorGridlineColor = OxyColors.LightGray,
    };
}
