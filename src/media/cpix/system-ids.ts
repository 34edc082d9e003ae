/** The DRM systems' ids, as DASH-IF registers them. */
export const WIDEVINE = 'edef8ba9-79d6-4ace-a3c8-27dcd51d21ed';
export const PLAYREADY = '9a04f079-9840-4286-ab92-e65be0885f95';
export const FAIRPLAY = '94ce86fb-07ff-4f43-adb8-93d2fa968ca2';
/** The W3C's, whose `pssh` lists key ids and nothing else. */
export const COMMON_PSSH = '1077efec-c0b2-4d02-ace3-3c1e52e2fb4b';
/** ClearKey, as DASH manifests signal it. */
export const CLEAR_KEY = 'e2719d58-a985-b3c9-781a-b030af78d30e';
/** HLS with whole segments encrypted, as the examples of key providers name it. */
export const HLS_AES_128 = '3ea8778f-7742-4bf9-b18b-e834b2acbd47';
/** The same, as SPEKE's own examples name it. */
export const HLS_AES_128_SPEKE = '81376844-f976-481e-a84e-cc25d39b0b33';
