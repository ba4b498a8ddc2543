package org.sparkqlora.input;

import java.io.Serializable;
import java.time.Duration;

/**
 * Limits on the resources of a chat template. A template comes with a model and writes records of strangers, so one that loops, grows or
 * nests without end must end as a bad record, on every host at the same place: that is why work is counted and the time is only
 * the last resort.
 *
 * @param sourceChars length of the template itself
 * @param sourceDepth nesting of expressions and blocks in it, the links of a chain such as {@code a + b + c} included
 * @param chars chars of all texts that one rendering makes, those that it does not write included
 * @param items items of all lists and mappings that one rendering makes
 * @param steps expressions evaluated, items compared and, in units of 16, chars searched by one rendering
 * @param depth expressions, blocks and macro calls that are being evaluated at once
 * @param valueDepth nesting of lists and mappings that are written as text or as JSON
 * @param time of one rendering
 * @param searchChars chars of all renderings by which the answers of one conversation are found
 */
public record TemplateLimits(
        int sourceChars,
        int sourceDepth,
        long chars,
        long items,
        long steps,
        int depth,
        int valueDepth,
        Duration time,
        long searchChars)
        implements Serializable {
    /**
     * Far above what any conversation that fits a model needs: a megabyte of text is rendered with a hundredth of it. What is
     * alive at once stays below 300 MB, the deepest evaluation within half of a thread's usual stack of 1 MB.
     */
    public static final TemplateLimits DEFAULT =
            new TemplateLimits(1 << 20, 200, 1 << 25, 1 << 22, 1 << 25, 800, 200, Duration.ofSeconds(30), 1 << 27);

    /** These limits with {@code times} as much text, items, work and time; nesting, which a thread's stack bounds, stays. */
    public TemplateLimits times(int times) {
        return new TemplateLimits(
                sourceChars,
                sourceDepth,
                times * chars,
                times * items,
                times * steps,
                depth,
                valueDepth,
                time.multipliedBy(times),
                times * searchChars);
    }
}
