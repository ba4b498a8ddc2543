package org.sparkqlora.spark.ui;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PublishedTest {
    @Test
    void anAdapterIsServedBesideItsBaseWithRoomForItsRank() {
        assertThat(of(Published.Kind.ADAPTER, 24))
                .contains("vllm serve base --enable-lora --max-lora-rank 32 --lora-modules my-run=out/adapter");
    }

    @Test
    void anAdapterThatServersDoNotAddIsMergedFirst() {
        assertThat(of(Published.Kind.RICH_ADAPTER, 16))
                .contains("merge --model base --adapter out/adapter --output ./my-run-merged")
                .contains("vllm serve ./my-run-merged")
                .doesNotContain("--enable-lora");
    }

    @Test
    void aWholeModelIsServedAsItIs() {
        assertThat(of(Published.Kind.MODEL, 0))
                .contains("vllm serve out/adapter")
                .doesNotContain("Peft");
    }

    private static String of(Published.Kind kind, int rank) {
        return new Published("My run!", "base", "out/adapter", kind, rank).html();
    }
}
