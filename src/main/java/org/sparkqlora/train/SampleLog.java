package org.sparkqlora.train;

/** The model's answers to a few prompts during training. */
public interface SampleLog {
    /** Drops what lies after {@code step}: it will be made again. Comes before all else. */
    void rewindTo(long step);

    /** Adds the answers at the State of {@code source}, which is {@code step}. */
    void take(long step, GradientSource source);

    /** Asks nothing. */
    static SampleLog none() {
        return new SampleLog() {
            @Override
            public void rewindTo(long step) {}

            @Override
            public void take(long step, GradientSource source) {}
        };
    }
}
