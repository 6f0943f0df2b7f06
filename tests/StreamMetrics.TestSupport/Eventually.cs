using Xunit;
using Xunit.Sdk;

namespace StreamMetrics.TestSupport;

/// <summary>Thrown by what <see cref="Eventually"/> repeats: the condition can no longer become true, e.g. since the program has ended.</summary>
/// <param name="message">Why.</param>
public sealed class HopelessException(string message) : Exception(message);

/// <summary>
/// Waits until something becomes true, by looking again and again. When the time is up the test fails with the phase, how long it
/// waited and what it saw last. An exception counts as "not yet", and the last one is the inner exception of the failure.
/// </summary>
public static class Eventually
{
    /// <summary>How long to wait when the caller does not say: generous, since the machine may be busy with other tests.</summary>
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromMinutes(5);

    static readonly TimeSpan ShortestInterval = TimeSpan.FromMilliseconds(10);
    static readonly TimeSpan LongestInterval = TimeSpan.FromMilliseconds(200);

    /// <summary>Waits until assertions pass.</summary>
    /// <param name="phase">What the test is doing, e.g. "after the third kill".</param>
    /// <param name="assertions">Throws (by <see cref="Assert"/>) while the condition does not hold.</param>
    /// <param name="timeout">How long at most; <see cref="DefaultTimeout"/> when null.</param>
    public static async Task AssertAsync(string phase, Func<Task> assertions, TimeSpan? timeout = null)
    {
        var limit = timeout ?? DefaultTimeout;
        var started = TimeProvider.System.GetTimestamp();
        for (var interval = ShortestInterval; ; interval = interval < LongestInterval ? interval * 1.5 : LongestInterval)
        {
            try
            {
                // An attempt that hangs (a connect to a stopped server) must not outlive the limit by much.
                await assertions().WaitAsync(limit, TimeProvider.System);
                return;
            }
            catch (HopelessException hopeless)
            {
                throw new XunitException($"{phase}: will never be so. {hopeless.Message}", hopeless);
            }
            catch (Exception last) when (TimeProvider.System.GetElapsedTime(started) >= limit)
            {
                throw new XunitException($"{phase}: not so after {limit.TotalSeconds:0.#} s. {last.Message}", last);
            }
            catch (Exception)
            {
                await Task.Delay(interval, TimeProvider.System);
            }
        }
    }

    /// <summary>Waits until assertions pass.</summary>
    /// <param name="phase">What the test is doing.</param>
    /// <param name="assertions">Throws while the condition does not hold.</param>
    /// <param name="timeout">How long at most.</param>
    public static Task AssertAsync(string phase, Action assertions, TimeSpan? timeout = null) =>
        AssertAsync(
            phase,
            () =>
            {
                assertions();
                return Task.CompletedTask;
            },
            timeout);

    /// <summary>Waits until a condition is true.</summary>
    /// <param name="phase">What the test is doing.</param>
    /// <param name="condition">The condition.</param>
    /// <param name="context">What to say of the state when it never became true.</param>
    /// <param name="timeout">How long at most.</param>
    public static Task TrueAsync(string phase, Func<Task<bool>> condition, Func<string>? context = null, TimeSpan? timeout = null) =>
        AssertAsync(phase, async () => Assert.True(await condition(), context?.Invoke() ?? "The condition is false."), timeout);

    /// <summary>Waits until a condition is true.</summary>
    /// <param name="phase">What the test is doing.</param>
    /// <param name="condition">The condition.</param>
    /// <param name="context">What to say of the state when it never became true.</param>
    /// <param name="timeout">How long at most.</param>
    public static Task TrueAsync(string phase, Func<bool> condition, Func<string>? context = null, TimeSpan? timeout = null) =>
        AssertAsync(phase, () => Assert.True(condition(), context?.Invoke() ?? "The condition is false."), timeout);

    /// <summary>Waits until a value is the expected one.</summary>
    /// <param name="phase">What the test is doing.</param>
    /// <param name="expected">The value to wait for.</param>
    /// <param name="actual">Reads the value.</param>
    /// <param name="timeout">How long at most.</param>
    public static Task EqualAsync<T>(string phase, T expected, Func<Task<T>> actual, TimeSpan? timeout = null) =>
        AssertAsync(phase, async () => Assert.Equal(expected, await actual()), timeout);

    /// <summary>Waits until there is a result.</summary>
    /// <param name="phase">What the test is doing.</param>
    /// <param name="result">Gives the result; null or an exception while there is none.</param>
    /// <param name="timeout">How long at most.</param>
    public static async Task<T> ResultAsync<T>(string phase, Func<Task<T?>> result, TimeSpan? timeout = null)
    {
        var last = default(T);
        await AssertAsync(phase, async () => Assert.NotNull(last = await result()), timeout);
        return last!;
    }
}
