/**
 * File systems whose every change goes through this kernel and is announced under the name that was looked
 * up. Not here, so checked by stat: network and cluster file systems and FUSE (others write), FAT, exFAT, NTFS
 * and HFS+ (a name in another case reaches the same file), and those of the kernel itself (content without writes).
 */
import { statfsSync } from 'node:fs';

/** `f_type` as statfs(2) reports it. */
const EVENT_FILESYSTEMS: Readonly<Record<number, string>> = {
  61267: 'ext2, ext3, ext4',
  1481003842: 'xfs',
  2435016766: 'btrfs',
  4076150800: 'f2fs',
  16914836: 'tmpfs',
  2240043254: 'ramfs',
  // Its layers must not be written to beneath it, which the kernel forbids anyway.
  2035054128: 'overlayfs',
  801189825: 'zfs',
  3393526350: 'bcachefs',
  827541066: 'jfs',
  13364: 'nilfs2',
  1382369651: 'reiserfs',
  604313861: 'ubifs',
  29366: 'jffs2',
  3774210530: 'erofs',
  1936814952: 'squashfs',
  38496: 'iso9660',
};

/** True if inotify sees every change below this directory's file system. */
export function announcesChanges(directory: string): boolean {
  try {
    // A 32-bit kernel reports the type as a signed number.
    return EVENT_FILESYSTEMS[Number(statfsSync(directory).type) >>> 0] !== undefined;
  } catch {
    return false;
  }
}
