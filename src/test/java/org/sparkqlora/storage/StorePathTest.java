package org.sparkqlora.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.UnknownHostException;
import java.nio.file.AccessDeniedException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.security.AccessControlException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.input.BadInputException;

class StorePathTest {
    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {"", "a:b", ":"})
    void aTextThatIsNoPathIsBadInput(String text) {
        assertThatThrownBy(() -> StorePath.files(StorePath.parse(text), new Configuration()))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("Cannot open " + text);
    }

    @Test
    void aSchemeThatNoJarKnowsIsBadInput() {
        assertThatThrownBy(() -> StorePath.files(new Path("nowhere://bucket/a"), new Configuration()))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "Cannot open nowhere://bucket/a: expected a Hadoop file system for nowhere: on the class path, found none. Name its jar with --jars or --packages of spark-submit");
    }

    /** It may be found later. */
    @Test
    void aHostThatIsNotFoundIsNoBadInput() {
        assertThatThrownBy(() -> StorePath.files(new Path("hdfs://nowhere.invalid/a"), new Configuration()))
                .isNotInstanceOf(BadInputException.class)
                .hasRootCauseInstanceOf(UnknownHostException.class)
                .hasMessageContaining("nowhere.invalid");
    }

    @Test
    void knowsARefusalFromAnAbsence() {
        assertThat(StorePath.isDenied(new AccessControlException("Permission denied: user=a")))
                .isTrue();
        assertThat(StorePath.isDenied(new AccessDeniedException("s3a://b/c"))).isTrue();
        assertThat(StorePath.isDenied(new FileNotFoundException("/a/b (Permission denied)")))
                .isTrue();
        assertThat(StorePath.isDenied(new FileNotFoundException("/a/b (No such file or directory)")))
                .isFalse();
        assertThat(StorePath.isDenied(new IOException("connection reset"))).isFalse();
    }
}
