package org.sparkqlora.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DiskRoomTest {
    private static final long TOO_MUCH = 1L << 60;

    @TempDir
    private Path folder;

    @Test
    void aFolderThatIsNotThereYetIsOnTheDiskOfTheOneAboveIt() {
        Path later = folder.resolve("a/b");

        assertThatCode(() -> DiskRoom.require(later, 1)).doesNotThrowAnyException();
        assertThat(DiskRoom.bytesFree(later)).isPositive().isLessThan(TOO_MUCH);
        assertThatThrownBy(() -> DiskRoom.require(later, TOO_MUCH))
                .isInstanceOf(IOException.class)
                .hasMessageMatching(
                        "Cannot write 1152921504[.]6 GB to %s: expected as much free on its disk, found [0-9.]+ GB[.]"
                                        .formatted(later)
                                + " Free some, or name a folder on a larger disk[.]");
    }

    @Test
    void knowsAFullDiskFromOneThatIsRefused() {
        assertThat(DiskRoom.isShort(new FileNotFoundException("/a/b (No space left on device)")))
                .isTrue();
        assertThat(DiskRoom.isShort(new FileSystemException("/a/b", null, "Disk quota exceeded")))
                .isTrue();
        assertThat(DiskRoom.isShort(new FileNotFoundException("/a/b (Read-only file system)")))
                .isFalse();
        assertThat(DiskRoom.isShort(new IOException())).isFalse();
    }

    @Test
    void aFileSystemThatDoesNotTellIsTakenToHaveRoom() {
        Path withoutSize = Path.of("/proc");

        assertThat(DiskRoom.bytesFree(withoutSize)).isEqualTo(Long.MAX_VALUE);
    }
}
