package org.sparkqlora.options;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class QuietLoggingTest {
    /** Python finds them by their path in the jar. */
    @Test
    void itsSettingsLieBesideIt() {
        assertThat(QuietLogging.settings().getPath()).endsWith("/org/sparkqlora/options/log4j2.properties");
    }
}
